import type { ComponentChildren } from 'preact'
import type { Problem } from '../../src/contract/api.ts'
import type { Kind } from '../../src/contract/document.ts'
import { age, clock, utc } from './format.ts'
import { useNow } from './hooks.ts'
import type { Shown } from './polling.ts'
import { wake } from './server.ts'
import { toneOf } from './tone.ts'

/** The small things that every view is made of. What they show came from outside and is only ever text. */

/** A moment in the reader's time, with UTC to point at. */
export function At({ iso }: { iso: string }) {
  const ms = Date.parse(iso)
  if (Number.isNaN(ms)) return <span>{iso}</span>
  return (
    <time dateTime={iso} title={utc(iso)}>
      {clock.at(ms, Date.now())}
    </time>
  )
}

/** How long ago, or until. */
export function Age({ iso }: { iso: string }) {
  const now = useNow()
  const ms = Date.parse(iso)
  if (Number.isNaN(ms)) return <span>{iso}</span>
  return (
    <time dateTime={iso} title={`${clock.at(ms, now)} · ${utc(iso)}`}>
      {age(ms, now)}
    </time>
  )
}

/** What would fill a heading is written smaller. */
const LONG = 80

/** An id of any length and script. Cut off in tables, whole when pointed at. */
export function Id({ text, href, whole = false }: { text: string; href?: string; whole?: boolean }) {
  const className = whole ? (text.length > LONG ? 'id id-whole id-long' : 'id id-whole') : 'id'
  const content = <bdi>{text}</bdi>
  if (href === undefined)
    return (
      <span class={className} title={text}>
        {content}
      </span>
    )
  return (
    <a class={className} href={href} title={text}>
      {content}
    </a>
  )
}

export function Status({ word, kind }: { word: string | null; kind?: Kind | 'tombstone' }) {
  return (
    <span class={`status tone-${toneOf(word, kind)}`} title={word ?? undefined}>
      <span class="status-word">
        <bdi>{word ?? 'unknown'}</bdi>
      </span>
    </span>
  )
}

interface PartProps<T> {
  shown: Shown<T>
  /** What it is about: `The zones`. */
  what: string
  /** Height that is kept free until the first answer. */
  room: 'line' | 'chart' | 'small' | 'table' | 'view'
  /** Another part that shows the same data tells what is wrong. */
  silent?: boolean
  children: (data: T) => ComponentChildren
}

/** One part of a view: its content; or what is wrong with it, while the other parts go on. */
export function Part<T>({ shown, what, room, silent = false, children }: PartProps<T>) {
  const { data, problem } = shown
  if (data === null && problem === null) return <Loading what={what} room={room} />
  if (data === null && silent) return <p class="as-of">{what}: see below</p>
  return (
    <>
      {problem !== null && !silent && <ProblemNote shown={shown} what={what} />}
      {data !== null && <div class={problem === null ? 'part' : 'part stale'}>{children(data)}</div>}
    </>
  )
}

export function Loading({ what, room }: { what: string; room: PartProps<unknown>['room'] }) {
  return (
    <div class={`loading room-${room}`}>
      <span class="sr-only">{what}: loading</span>
    </div>
  )
}

/** The banner tells these already, with what to do about them. */
const IN_BANNER = [0, 401]

function ProblemNote<T>({ shown, what }: { shown: Shown<T>; what: string }) {
  const { problem, data } = shown
  if (problem === null) return null
  if (IN_BANNER.includes(problem.status)) {
    return <p class="as-of">{data === null ? headline(problem, what) : <AsOf at={shown.at} />}</p>
  }
  return (
    <div class="note note-problem" data-testid="problem">
      <p>
        <strong>{headline(problem, what)}</strong>
      </p>
      {problem.detail && <p class="breakable">{problem.detail}</p>}
      {problem.remedy && <p class="breakable">{problem.remedy}</p>}
      {data !== null && (
        <p>
          <AsOf at={shown.at} />
        </p>
      )}
      {(problem.status < 0 || problem.status >= 429) && (
        <button type="button" class="button" onClick={wake.ring}>
          Try now
        </button>
      )}
    </div>
  )
}

function AsOf({ at }: { at: number }) {
  const now = useNow()
  return (
    <>
      As of {clock.at(at, now)}, {age(at, now)}
    </>
  )
}

function headline({ status, title }: Problem, what: string): string {
  if (status === 0) return `${what}: no answer from the server`
  if (status === 401) return `${what}: an API key is needed`
  if (status === 403) return `${what}: your key may not read this`
  if (status === 404) return `${what}: not found`
  return `${what}: ${title}`
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** The heading of a view; the keyboard starts here after a change of view. */
export function Heading({ children, over }: { children: ComponentChildren; over?: ComponentChildren }) {
  return (
    <div class="heading">
      {over && <p class="heading-over">{over}</p>}
      <h1 id="view" tabIndex={-1}>
        {children}
      </h1>
    </div>
  )
}

/** A name and what it is, for lists of facts. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
