/** `count` different ports that nothing listens on at 127.0.0.1 and that this process has not been given before. */
export declare function freePorts(count: number): Promise<number[]>
export declare function isFree(port: number): Promise<boolean>
