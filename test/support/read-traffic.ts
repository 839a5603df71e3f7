import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionList, SessionView, ZoneList } from '../../src/contract/api.ts'
import { ID } from './primary.ts'
import type { Answer, ReadSide } from './read-side.ts'

/** Asks the read side for all sorts of things, and listens to it, until disposed of. */
export function readUntilStopped(side: ReadSide, credential: Record<string, string>): AsyncDisposable {
  const stop = new AbortController()
  const body = async <T>(answer: Promise<Answer>) => (await answer).body as T
  const get = <T>(path: string) => body<T>(side.get(path, credential))

  const round = async () => {
    // Not in the stream, and perhaps in the primary store.
    await get(`/v1/sessions/${ID}`)
    const { zones = [] } = await get<ZoneList>('/v1/zones')
    for (const { zone_id } of zones.slice(0, 3)) {
      const { sessions = [] } = await get<SessionList>(`/v1/sessions?zone=${zone_id}`)
      for (const { session_id } of sessions.slice(0, 3)) {
        const { events = [] } = await get<SessionView>(`/v1/sessions/${session_id}`)
        for (const { _id } of events.slice(0, 3)) await get(`/v1/events/${_id}`)
      }
    }
    await get('/v1/events/nobody-has-this')
  }
  const ask = async () => {
    while (!stop.signal.aborted) {
      await round().catch(() => {})
      await sleep(100, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const listen = async () => {
    const response = await fetch(`${side.url}/v1/status-updates`, { headers: credential, signal: stop.signal })
    for await (const _ of response.body ?? []);
  }
  const all = [ask(), listen().catch(() => {})]
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(all)
    },
  }
}
