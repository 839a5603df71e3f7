import { createFeed } from './feed.ts'
import { span } from './format.ts'
import { type Live, openLive } from './live.ts'
import { type LiveFilters, queryOf } from './routes.ts'
import { api, later, wake } from './server.ts'

/** Rows that are kept. */
const MOST = 300
/** After a longer absence the stream begins anew, rather than have everything sent that happened meanwhile. */
const LONGEST_ABSENCE_MS = 120_000

let restUntil = 0

/**
 * With the next frame that drawing may have: it gets a third of the time at most, however slow the machine and however
 * many rows arrive. The rest is the reader's.
 */
function nextFrame(run: () => void): void {
  later(Math.max(0, restUntil - performance.now()), () =>
    requestAnimationFrame(() => {
      const began = performance.now()
      run()
      // By then the frame is laid out and painted.
      later(0, () => {
        restUntil = performance.now() + 2 * (performance.now() - began)
      })
    }),
  )
}

/** Outlives the view, so that a look at a session and back loses nothing. */
export const feed = createFeed({ most: MOST, nextFrame, now: Date.now })

let left: { path: string; lastId: string; at: number } | null = null

const pathOf = ({ all, ...texts }: LiveFilters): string => {
  const query = queryOf({ ...texts, all: all ? 'true' : '' })
  return query === '' ? 'v1/status-updates' : `v1/status-updates?${query}`
}

/** Opens the stream. With the filters of the last time it goes on where that was left. */
export function watchUpdates(filters: LiveFilters): Live {
  const path = pathOf(filters)
  const live = openLive({
    open: (position, signal) => api.stream(path, position, signal),
    lastId: positionOf(path),
    onUpdate: feed.add,
    onNote: feed.note,
    wake,
    now: Date.now,
    later,
    random: Math.random,
  })
  return {
    ...live,
    stop() {
      live.stop()
      left = { path, lastId: live.lastId(), at: Date.now() }
    },
  }
}

function positionOf(path: string): string {
  if (left === null) return ''
  if (left.path !== path) {
    feed.clear()
    return ''
  }
  const absence = Date.now() - left.at
  if (absence < LONGEST_ABSENCE_MS) return left.lastId
  feed.note(`Updates are missing here: nobody was looking for ${span(absence)}`)
  return ''
}
