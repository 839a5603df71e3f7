import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const MOST_BYTES = 64 * 1024 * 1024

/** What a command writes to its standard output. @throws with what it wrote to either, when it fails */
export async function outputOf(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd, maxBuffer: MOST_BYTES })).stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(
      `${[command, ...args].join(' ')} failed:\n${`${stdout}${stderr}`.trim() || (error as Error).message}`,
    )
  }
}
