/** A service that a test may take away and give back. After `start` it has the same address and data as before. */
export interface Controllable {
  /** Ends it in good order, as an operator would. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again; returns when it answers. */
  start(): Promise<void>
  /** Freezes it: connections stay open and nothing answers. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Its process id on this machine, for who measures it; null when it has none. */
  pid?(): Promise<number | null>
}

/** A service that this process started. */
export interface OwnService extends Controllable {
  /** Where clients find it: a broker list or a URL. */
  readonly address: string
  /** Ends it for good and gives up its data. */
  discard(): Promise<void>
}

/** A service that the environment named: it belongs to somebody else. */
export function foreign(name: string, variable: string): Controllable {
  const refuse = async (): Promise<never> => {
    throw new Error(`${name} comes from ${variable} and is not ours to control: use startServices({ fresh: true })`)
  }
  return { stop: refuse, kill: refuse, start: refuse, pause: refuse, resume: refuse }
}
