import { isFrozen } from '../../local/native/process.ts'
import { memoryOf } from '../../local/proc.ts'
import { launchService, type Program, type Service, untilReady } from './service.ts'

/** A running `process`, as its operator sees it. */
export interface Processor extends Service {
  /** Its KAFKA_CLIENT_ID, where that was given. */
  readonly clientId: string | undefined
  /** Status code of a path of its ops server. */
  answers(path: '/readyz' | '/healthz'): Promise<number>
  /** Whether SIGSTOP holds it, from us or from itself. */
  isFrozen(): Promise<boolean>
  /** Peak resident memory in MiB so far; null where the system does not tell. */
  peakMemory(): Promise<number | null>
}

/** Starts the built processor, or another program, and waits until it is ready. */
export async function startProcessor(env: Record<string, string>, program?: Program): Promise<Processor> {
  const processor = launchProcessor(env, program)
  await isReady(processor)
  return processor
}

/** Whether it waits for something: not ready, and nothing that a restart would mend. */
export const isWaiting = async (processor: Processor): Promise<boolean> =>
  (await processor.answers('/readyz')) === 503 && (await processor.answers('/healthz')) === 200

/** Waits until it is ready. @throws with its log, and it is ended, when that does not come */
export const isReady = (processor: Processor): Promise<void> =>
  untilReady(processor, 'processor', async () => (await processor.answers('/readyz')) === 200)

/** The same without any waiting, for one that may not live long. */
export function launchProcessor(env: Record<string, string>, program?: Program): Processor {
  const service = launchService('process', { HTTP_PORT: '0', ...env }, program)
  const { pid } = service
  const more = {
    clientId: env.KAFKA_CLIENT_ID,
    answers: async (path: string) => (await fetch(service.url + path)).status,
    isFrozen: () => isFrozen(pid),
    peakMemory: () => peakMemoryOf(pid),
  }
  return Object.assign(service, more)
}

async function peakMemoryOf(pid: number): Promise<number | null> {
  try {
    const peak = memoryOf(pid).VmHWM
    return Number.isNaN(peak) ? null : peak
  } catch {
    return null
  }
}
