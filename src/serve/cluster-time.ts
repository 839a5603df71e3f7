/**
 * The newest moment of MongoDB that this process knows of. Reads name it, and a server that has not come so far waits until it has:
 * a new primary may not know yet that what its predecessor had confirmed is confirmed, and would show what was there before.
 */
import type { Timestamp } from 'mongodb'

export interface ClusterTime {
  latest(): Timestamp | undefined
  /** Something of this moment was read. */
  advance(to: Timestamp | undefined): void
}

export function createClusterTime(): ClusterTime {
  let latest: Timestamp | undefined
  return {
    latest: () => latest,
    advance(to) {
      if (to !== undefined && (latest === undefined || to.greaterThan(latest))) latest = to
    },
  }
}
