/**
 * The cache in front of the stores: gives what it keeps while that is good, and loads it where it is not.
 *
 * - *Single flight*: one load a key, however many ask.
 * - *Never back in time*: an answer with an event older than one that this process has shown, or heard to have changed, since the
 *   load began is loaded again. So a caller who saw an event anywhere here never sees an older state of it.
 * - *Ahead*: what is asked often is loaded again shortly before it expires, while the old answer is still given.
 * - *Stale*: while the stores fail, what is kept is given, and said to be stale, unless something newer was shown already. A store
 *   that fails is never a miss.
 * - *Negative*: that there is nothing is kept too, but briefly, and not for when the stores fail.
 */
import { type Answer, type Part, weightOf } from './answer.ts'
import { createRecent, type Judgement, RECENT_BYTES } from './recent.ts'
import { createShown } from './shown.ts'
import { createStore, type Entry } from './store.ts'

export interface Loaded {
  answer: Answer
  /** Which store had it, or was the last to say that there is nothing. */
  layer: 'mongodb' | 'primary'
  /** Whether an event of its subjects belongs into it: the list may be a part of what there is. */
  belongs: (part: Part) => boolean
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
  /** Not all that changes it is told: it is good for a second only. */
  briefly?: boolean
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
  /** Milliseconds of a clock that never goes back. */
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
/** Subjects of which the last news is remembered: more than change while a load is on its way; and the part of the memory for them. */
const MOST_RECENT = 50_000
const RECENT_PART = 4
/** Loads of one answer while news of it goes on coming in; the last one is given, and counts as outdated. */
const MOST_LOADS = 3
const MOST_LOADS_OF_OLDER = 30

export function createReadThrough(options: ReadThroughOptions): ReadThrough {
  const { mostBytes, isTold, onEvicted, now = () => performance.now() } = options
  const mostRecent = Math.min(MOST_RECENT, Math.floor(mostBytes / RECENT_PART / RECENT_BYTES))
  const store = createStore(mostBytes - mostRecent * RECENT_BYTES, onEvicted)
  const recent = createRecent(mostRecent)
  const shown = createShown()
  const flights = new Map<string, Promise<Look>>()
  /** Of the answers kept before, none is good. */
  let epochBegan = Number.NEGATIVE_INFINITY

  const isFresh = (entry: Entry, at: number) =>
    !entry.isOutdated &&
    at < entry.freshUntil &&
    entry.loadedAt > epochBegan &&
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
    const flight = load(question)
    flights.set(question.key, flight)
    return flight
  }

  /** Between a store's answer and what is kept of it nothing is awaited, so that nothing can be shown or told unseen. */
  async function load(question: Question): Promise<Look> {
    let layer: Loaded['layer'] = 'mongodb'
    try {
      for (let loads = 1; ; loads++) {
        const since = recent.now()
        const loadedAt = now()
        const watched = shown.watch(question.subjects)
        let loaded: Loaded
        try {
          loaded = await question.load()
        } finally {
          watched.end()
        }
        // What the primary filled is found in MongoDB when it is loaded again.
        if (loaded.layer === 'primary') layer = 'primary'
        const judgement = judge(loaded, question.subjects, since, watched.parts)
        if (judgement === 'older' ? loads < MOST_LOADS_OF_OLDER : judgement === 'changed' && loads < MOST_LOADS)
          continue
        const entry = keep(question, loaded, loadedAt, judgement !== 'good')
        return { ...kept(entry, loadedAt, 'miss'), layer, stored: !entry.isOutdated }
      }
    } finally {
      flights.delete(question.key)
    }
  }

  function judge({ answer, belongs }: Loaded, subjects: readonly string[], since: number, meanwhile: Iterable<Part>) {
    for (const part of meanwhile) if (belongs(part) && !has(answer, part.subject)) return 'older'
    let judgement: Judgement = 'good'
    for (const { subject, version } of answer.parts) judgement = worse(judgement, recent.judge(subject, version, since))
    for (const subject of subjects) {
      if (!has(answer, subject)) judgement = worse(judgement, recent.judge(subject, null, since))
    }
    return judgement
  }

  function keep({ key, subjects, briefly }: Question, loaded: Loaded, loadedAt: number, isOutdated: boolean): Entry {
    const { answer, belongs } = loaded
    const goodFor = briefly ? UNTOLD_MS : answer.parts.length === 0 ? NEGATIVE_MS : FRESH_MS
    const entry: Entry = {
      ...{ answer, belongs, loadedAt, isOutdated, isSuperseded: false, hits: 0 },
      freshUntil: loadedAt + goodFor,
      weight: weightOf(key, answer),
      subjects: [...subjects, ...answer.parts.map(({ subject }) => subject)].filter((one) => one !== key),
    }
    tellShown(answer)
    store.put(key, entry)
    return entry
  }

  /** Whoever asks from now on sees nothing older than these. */
  function tellShown({ parts }: Answer): void {
    for (const part of parts) {
      const { subject, version, lists } = part
      recent.noteShown(subject, version)
      for (const [entry, its] of store.about(subject)) if (its === null || its < version) supersede(entry)
      for (const list of lists) tellList(list, part)
    }
  }

  /** Of lists that should have an event, those that lack it are of before. */
  function tellList(subject: string, part: Part): void {
    shown.tell(subject, part)
    for (const [entry] of store.about(subject)) {
      if (entry.belongs(part) && !has(entry.answer, part.subject)) supersede(entry)
    }
  }

  function supersede(entry: Entry): void {
    entry.isOutdated = true
    entry.isSuperseded = true
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
      const isWorthwhile = entry.hits >= OFTEN && entry.answer.parts.length > 0 && !question.briefly
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
      const stale = staleOf(question.key)
      if (stale === null) throw error
      return stale
    }
  }

  function staleOf(key: string): Look | null {
    const at = now()
    const entry = store.get(key)
    const isGood = entry && !entry.isSuperseded && entry.answer.parts.length > 0 && at - entry.loadedAt < STALE_MS
    return isGood ? kept(entry, at, 'stale') : null
  }

  return {
    look,
    changed,
    allChanged() {
      epochBegan = now()
      recent.noteAll()
    },
    close: () => store.clear(),
    get size() {
      return store.size
    },
    get bytes() {
      return store.bytes + recent.size * RECENT_BYTES
    },
  }
}

const has = ({ parts }: Answer, subject: string) => parts.some((part) => part.subject === subject)

const GRADES = { good: 0, changed: 1, older: 2 }
const worse = (one: Judgement, other: Judgement) => (GRADES[one] < GRADES[other] ? other : one)
