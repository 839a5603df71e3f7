import { expect } from '@jest/globals'
import { readAll } from './copy-topic.ts'
import { type ReadSide, startReadSide } from './read-side.ts'
import type { Program } from './service.ts'
import { until } from './services.ts'
import { type StreamReader, startReader } from './stream-reader.ts'
import type { UpgradeRun } from './upgrade-run.ts'

/** Read sides of two versions, and a client that is cut off again and again and comes back to either. */
export interface ReadBeside extends AsyncDisposable {
  /** All is committed: the client must see every update once and in order, and pages of one version must go on in the other. */
  finish(): Promise<void>
}

const MOST_FRAMES = 60

export async function readBeside({ env, names }: UpgradeRun, programs: readonly Program[]): Promise<ReadBeside> {
  const sides = await Promise.all(programs.map((program) => startReadSide(env, { program })))
  let turn = 0
  const url = () => (sides[turn++ % sides.length] as ReadSide).url
  const reader = startReader(url, 'all=true', MOST_FRAMES)
  await until(() => reader.connections > 0, { timeoutMs: 20_000, what: 'a client listens' })
  return {
    async finish() {
      await sawEverything(reader, await committedIn(env.KAFKA_BROKERS as string, names.STATUS_TOPIC))
      await goOnInTheOther(sides)
      expect(reader.connections).toBeGreaterThan(3)
      expect(reader.events).toEqual([])
      await reader.stop()
      for (const side of sides) await side.stop()
    },
    async [Symbol.asyncDispose]() {
      await reader.stop().catch(() => {})
      for (const side of sides) await side[Symbol.asyncDispose]()
    },
  }
}

/** Ids of the updates of each partition, in order. */
async function committedIn(brokers: string, topic: string): Promise<string[][]> {
  const ids: string[][] = []
  await readAll(brokers, topic, new Map(), (partition, messages) => {
    ids[partition] = [...(ids[partition] ?? []), ...messages.map(({ headers }) => String(headers?.ce_id))]
  })
  return ids.filter((own) => own !== undefined)
}

async function sawEverything(reader: StreamReader, committed: string[][]): Promise<void> {
  const count = committed.flat().length
  await until(() => reader.seen.length >= count, { timeoutMs: 60_000, what: `a client has seen ${count} updates` })
  const place = new Map(committed.flatMap((ids, partition) => ids.map((id) => [id, partition] as const)))
  const seen: string[][] = committed.map(() => [])
  for (const data of reader.seen) {
    const { id } = JSON.parse(data) as { id: string }
    seen[place.get(id) ?? 0]?.push(id)
  }
  expect(seen).toEqual(committed)
}

/** The cursor that one gives is taken by the other, and leads to the same page. */
async function goOnInTheOther(sides: readonly ReadSide[]): Promise<void> {
  for (const side of sides) {
    const { headers } = await side.get('/v1/sessions?limit=3')
    const [, path = ''] = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '') ?? []
    const pages = await Promise.all(sides.map(async (one) => (await one.get(path)).body.sessions))
    expect(pages[0]).toHaveLength(3)
    for (const page of pages) expect(page).toEqual(pages[0])
  }
}
