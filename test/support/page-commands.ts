/** Runs what a page of the documentation tells its reader to type, as it stands there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { expect } from '@jest/globals'
import { ROOT } from '../../local/build.ts'
import * as guard from '../../local/native/guard.ts'
import { signalGroup } from '../../local/native/process.ts'
import { until } from '../../local/until.ts'

export interface Block {
  /** `sh`: typed by the reader; `text`: what is seen then. */
  language: string
  text: string
}

/** All fenced blocks of a page, in order. `path` is from the root of the project. */
export function blocksOf(path: string): Block[] {
  const page = readFileSync(join(ROOT, path), 'utf8')
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }))
}

/** What stands on a page as the output of a command; `…` is anything, and so is what comes before and after. */
const patternOf = (shown: string): RegExp =>
  new RegExp(
    shown
      .trim()
      .split('…')
      .map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[\\s\\S]*?'),
  )

/** @throws where the output is another than the page shows. */
export const expectShown = (output: string, shown: string): void => expect(output).toMatch(patternOf(shown))

/** A terminal: a shell in which what is exported stays. Its Node is the one of this process. */
export class Terminal implements AsyncDisposable {
  #shell: ChildProcess
  #output = ''
  #commands = 0

  constructor(env: Record<string, string> = {}, cwd = ROOT) {
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`
    const { HOME = '', XDG_CACHE_HOME } = process.env
    const own = { PATH, HOME, ...(XDG_CACHE_HOME !== undefined && { XDG_CACHE_HOME }), ...env }
    this.#shell = spawn('bash', ['--noprofile', '--norc'], { cwd, env: own, detached: true })
    if (this.#shell.pid !== undefined) guard.watch(this.#shell.pid)
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
    })
    this.start('exec 2>&1') // one stream, so that nothing comes later than it was written
  }

  /** All that was written in it so far. */
  get output(): string {
    return this.#output
  }

  /** Types a command that goes on. */
  start(text: string): void {
    this.#shell.stdin?.write(`${text}\n`)
  }

  /** Types commands, waits until they end, and gives what they wrote. @throws when the last one failed. */
  async run(text: string, timeoutMs = 60_000): Promise<string> {
    const from = this.#output.length
    const end = `-- done ${++this.#commands}`
    const ending = new RegExp(`^([^]*)${end}: (\\d+)\\n`)
    this.start(`${text.trimEnd()}\necho "${end}: $?"`)
    const ended = await until(() => ending.exec(this.#output.slice(from)), {
      timeoutMs,
      what: `this has ended: ${text}`,
    }).catch((error) => {
      throw new Error(`${error.message}\n${this.#output.slice(from)}`)
    })
    const [, output = '', code] = ended
    if (code !== '0') throw new Error(`${text}\nended with ${code}:\n${output}`)
    return output
  }

  #hasEnded(): boolean {
    return this.#shell.exitCode !== null || this.#shell.signalCode !== null
  }

  /** What Ctrl-C does; resolves when the shell has ended. */
  async stop(): Promise<void> {
    const { pid } = this.#shell
    if (pid === undefined || this.#hasEnded()) return
    this.#shell.stdin?.end()
    signalGroup(pid, 'SIGINT')
    await until(() => this.#hasEnded(), {
      timeoutMs: 60_000,
      what: 'what was started in the terminal has ended',
    })
    guard.forget(pid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#shell
    if (pid === undefined || this.#hasEnded()) return
    signalGroup(pid, 'SIGKILL')
    guard.forget(pid)
  }
}

/** A directory like a checkout, in which a page may leave files: these parts of it lead to the real ones. */
export async function makeCheckout(...parts: string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pm-parking-checkout-'))
  guard.removeAtEnd(directory)
  for (const part of ['dist', 'docs', 'node_modules', 'schemas', 'package.json', ...parts]) {
    await symlink(join(ROOT, part), join(directory, part))
  }
  return directory
}

/** Runs the `sh` blocks of a page in turn, and compares what they write with the `text` blocks after them. */
export async function runBlocks(blocks: Block[], terminal: Terminal, timeoutMs?: number): Promise<void> {
  let output = ''
  for (const { language, text } of blocks) {
    if (language === 'sh') output = await terminal.run(text, timeoutMs)
    if (language === 'text') expectShown(output, text)
  }
}
