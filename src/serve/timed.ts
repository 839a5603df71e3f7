import { PrimaryUnavailable } from '../primary/primary.ts'
import { StoreFailure } from './look-up.ts'
import type { ServeMetrics } from './metrics.ts'
import { createStoreGuard, wasNotAsked } from './store-guard.ts'

/** Asks a store. @throws StoreFailure */
export type Timed = <T>(layer: 'mongodb' | 'primary', ask: () => Promise<T>, isHit: (found: T) => boolean) => Promise<T>

/** Counts what becomes of each question to a store, and measures those that were asked. */
export function createTimed({ loadDuration, lookUps }: ServeMetrics): Timed {
  const guarded = createStoreGuard()
  return async (layer, ask, isHit) => {
    const end = loadDuration.startTimer({ layer })
    try {
      const found = await (layer === 'mongodb' ? guarded(ask) : ask())
      end()
      lookUps.inc({ layer, outcome: isHit(found) ? 'hit' : 'miss' })
      return found
    } catch (error) {
      const isTurnedAway = error instanceof PrimaryUnavailable && TURNED_AWAY.has(error.reason)
      if (!isTurnedAway && !wasNotAsked(error)) end()
      lookUps.inc({ layer, outcome: 'error' })
      throw new StoreFailure(layer, error)
    }
  }
}

const TURNED_AWAY = new Set<PrimaryUnavailable['reason']>(['open', 'busy'])
