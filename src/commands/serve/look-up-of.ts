/** The look-up of `serve`, from its parts and the settings. */
import type { Logger } from 'pino'
import type { Mongo } from '../../documents/connect.ts'
import { createSealer } from '../../documents/encryption.ts'
import { createStore } from '../../documents/store.ts'
import { createLookUp } from '../../look-up.ts'
import type { Cards } from '../../normalize/card-data.ts'
import { clockOf } from '../../normalize/time-zone.ts'
import type { Primary } from '../../primary/primary.ts'
import type { ReadThrough } from '../../serve/cache/read-through.ts'
import type { ClusterTime } from '../../serve/cluster-time.ts'
import { createFill } from '../../serve/fill.ts'
import { createEventFinder } from '../../serve/find-events.ts'
import type { LookUp } from '../../serve/look-up.ts'
import type { ServeMetrics } from '../../serve/metrics.ts'
import { learnNewestTime } from '../../serve/newest-time.ts'
import { createTimed } from '../../serve/timed.ts'
import type { Settings } from '../../settings.ts'

interface Common {
  settings: Settings
  metrics: ServeMetrics
  log: Logger
}

interface Layers {
  cache: ReadThrough
  mongo: Mongo
  time: ClusterTime
  primary: Primary | null
  cards: Cards
}

export function lookUpOf({ settings, metrics, log }: Common, { cache, mongo, time, primary, cards }: Layers): LookUp {
  const clock = settings.timeZone === null ? null : clockOf(settings.timeZone)
  const { keys, paths } = settings.encryption
  const reading = { keys, clock }
  const { reads } = mongo
  const onFillFailure = (reason: string, documents: number) => {
    metrics.fillFailures.inc(documents)
    log.warn({ reason, documents }, 'what the primary store had was shown, and could not be merged into MongoDB')
  }
  return createLookUp({
    ...{ cache, primary, timed: createTimed(metrics), reading },
    finder: createEventFinder(mongo.collection, { time, reading, reads }),
    prices: createEventFinder(mongo.prices, { time, reading, reads }),
    reader: {
      ...{ cards, clock, seal: createSealer(paths, keys), retentionMs: settings.retentionMs },
      onRejected(reason, message) {
        metrics.rejectedRows.inc({ reason })
        log.warn({ reason, message }, 'a row of the primary store is no event, and is left out')
      },
    },
    fill: createFill(createStore(mongo.collection), onFillFailure, () => learnNewestTime(mongo.collection.db, time)),
    onLook: (outcome) => metrics.lookUps.inc({ layer: 'memory', outcome }),
  })
}
