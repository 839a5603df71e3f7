/**
 * The cache in front of the stores: gives what it keeps while that is good, and loads it where it is not.
 *
 * - *Single flight*: one load a key, however many ask.
 * - *Never back in time*: an answer with an event older than one that this process has shown, or heard to have changed, since the
 *   load began is loaded again. So a caller who saw an event anywhere here never sees an older state of it.
 * - *Ahead*: what is asked often is loaded again shortly before it expires, while the old answer is still given.
 * - *Stale*: while the stores fail, what is kept is given, and said to be stale. A store that fails is never a miss.
 * - *Negative*: that there is nothing is kept too, but briefly.
 */
import { type Answer, subjectOfCard, subjectOfEvent, subjectOfSession } from './answer.ts'
import { createRecent, type Judgement } from './recent.ts'
import { createStore, type Entry } from './store.ts'

export interface Loaded {
  answer: Answer
  /** Which store had it, or was the last to say that there is nothing. */
  layer: 'mongodb' | 'primary'
}

export type LookOutcome = 'hit' | 'negative' | 'stale' | 'miss' | 'coalesced'

export interface Look {
  answer: Answer
  outcome: LookOutcome
  layer: 'memory' | Loaded['layer']
  /** Seconds since its load began. */
  age: number
  /** Seconds for which it is good; negative where it is stale. */
  ttl: number
  /** It is kept now. */
  stored: boolean
}

export interface Question {
  /** The subject itself, for an event and for the events of a session; of a list it says all that was asked. */
  key: string
  /** What the answer is about before anything is known of it. */
  subjects: readonly string[]
  /** @throws when a store fails. */
  load: () => Promise<Loaded>
}

export interface ReadThrough {
  /** @throws what `load` throws, where nothing is kept that could be given in its place. */
  look(question: Question): Promise<Look>
  /** A subject changed. */
  changed(subject: string): void
  /** Anything may have changed. */
  allChanged(): void
  close(): void
  readonly size: number
  readonly bytes: number
}

export interface ReadThroughOptions {
  mostBytes: number
  /** Whether changes are told within moments; while they are not, nothing is good for long. */
  isTold: () => boolean
  onEvicted: () => void
  now?: () => number
}

/** How long an answer is good: where changes are told, where not, and where there is nothing. */
const FRESH_MS = 60_000
const UNTOLD_MS = 1_000
const NEGATIVE_MS = 5_000
/** Oldest that is given while the stores fail. */
const STALE_MS = 3_600_000
/** Loaded ahead in the last part of its life, when it was given so often. */
const AHEAD_MS = FRESH_MS / 5
const OFTEN = 3
/** Subjects of which the last news is remembered: more than change while a load is on its way. */
const MOST_RECENT = 50_000
/** Loads of one answer while news of it goes on coming in; the last one is given, and counts as outdated. */
const MOST_LOADS = 3
const MOST_LOADS_OF_OLDER = 30

export function createReadThrough(options: ReadThroughOptions): ReadThrough {
  const { mostBytes, isTold, onEvicted, now = Date.now } = options
  const store = createStore(mostBytes, onEvicted)
  const recent = createRecent(MOST_RECENT)
  const flights = new Map<string, Promise<Look>>()
  /** Of the answers kept before, none is good. */
  let epochBegan = 0

  const isFresh = (entry: Entry, at: number) =>
    !entry.isOutdated &&
    at < entry.freshUntil &&
    entry.loadedAt >= epochBegan &&
    (isTold() || at - entry.loadedAt < UNTOLD_MS)

  function kept(entry: Entry, at: number, outcome: LookOutcome): Look {
    const ttl = Math.floor((entry.freshUntil - at) / 1_000)
    return {
      answer: entry.answer,
      ...{ outcome, layer: 'memory', stored: false },
      age: Math.max(0, Math.floor((at - entry.loadedAt) / 1_000)),
      ttl: outcome === 'stale' ? Math.min(-1, ttl) : Math.max(0, ttl),
    }
  }

  function fly(question: Question): Promise<Look> {
    const flight = load(question).finally(() => flights.delete(question.key))
    flights.set(question.key, flight)
    return flight
  }

  async function load({ key, subjects, load: ask }: Question): Promise<Look> {
    let layer: Loaded['layer'] = 'mongodb'
    for (let loads = 1; ; loads++) {
      const since = recent.now()
      const loadedAt = now()
      const { answer, ...from } = await ask()
      // What the primary filled is found in MongoDB when it is loaded again.
      if (from.layer === 'primary') layer = 'primary'
      const judgement = judge(answer, subjects, since)
      const isOutdated = judgement !== 'good'
      if (isOutdated && loads < (judgement === 'older' ? MOST_LOADS_OF_OLDER : MOST_LOADS)) continue
      const entry: Entry = {
        ...{ answer, loadedAt, isOutdated, hits: 0 },
        freshUntil: loadedAt + (answer.parts.length === 0 ? NEGATIVE_MS : FRESH_MS),
        subjects: [...subjects, ...answer.parts.map(({ id }) => subjectOfEvent(id))].filter((one) => one !== key),
      }
      tellShown(answer)
      store.put(key, entry)
      return { ...kept(entry, loadedAt, 'miss'), layer, stored: !isOutdated }
    }
  }

  function judge({ parts }: Answer, subjects: readonly string[], since: number): Judgement {
    const judgements = parts.map(({ id, version }) => recent.judge(subjectOfEvent(id), version, since))
    for (const subject of subjects) {
      if (!parts.some(({ id }) => subjectOfEvent(id) === subject)) judgements.push(recent.judge(subject, null, since))
    }
    return judgements.includes('older') ? 'older' : judgements.includes('changed') ? 'changed' : 'good'
  }

  /** Whoever asks from now on sees nothing older than these. */
  function tellShown({ parts }: Answer): void {
    for (const { id, version, session, card } of parts) {
      const subject = subjectOfEvent(id)
      recent.noteShown(subject, version)
      for (const [entry, its] of store.about(subject)) if (its === null || its < version) entry.isOutdated = true
      if (session !== null) tellList(subjectOfSession(session), id)
      if (card !== null) tellList(subjectOfCard(card), id)
    }
  }

  /** Of lists that should have an event, those that lack it are of before. */
  function tellList(subject: string, id: string): void {
    recent.noteShown(subject, '')
    for (const [entry] of store.about(subject)) {
      if (!entry.answer.parts.some((part) => part.id === id)) entry.isOutdated = true
    }
  }

  function changed(subject: string): void {
    recent.noteChanged(subject)
    for (const [entry] of store.about(subject)) entry.isOutdated = true
  }

  async function look(question: Question): Promise<Look> {
    const at = now()
    const entry = store.get(question.key)
    if (entry && isFresh(entry, at)) {
      entry.hits++
      const isWorthwhile = entry.hits >= OFTEN && entry.answer.parts.length > 0
      if (isWorthwhile && entry.freshUntil - at < AHEAD_MS && !flights.has(question.key)) {
        fly(question).catch(() => {}) // it is asked again when it has expired
      }
      return kept(entry, at, entry.answer.parts.length === 0 ? 'negative' : 'hit')
    }
    const flight = flights.get(question.key)
    try {
      if (flight === undefined) return await fly(question)
      return { ...(await flight), outcome: 'coalesced' }
    } catch (error) {
      if (entry && at - entry.loadedAt < STALE_MS) return kept(entry, at, 'stale')
      throw error
    }
  }

  return {
    look,
    changed,
    allChanged() {
      epochBegan = now() + 1
      recent.noteAll()
    },
    close: () => store.clear(),
    get size() {
      return store.size
    },
    get bytes() {
      return store.bytes
    },
  }
}
