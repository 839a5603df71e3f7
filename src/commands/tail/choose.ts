import type { IHeaders } from 'kafkajs'
import type { Kind } from '../../contract/document.ts'
import { CONFIRMED_TYPE, type StatusUpdate } from '../../contract/status-update.ts'

export interface Choice {
  /** Also updates that confirm the status that was there. */
  readonly all: boolean
  /** Empty: any. */
  readonly sessions: readonly string[]
  readonly zones: readonly string[]
  readonly kinds: readonly Kind[]
}

const among = <T>(wanted: readonly T[], value: T | null): boolean =>
  wanted.length === 0 || (value !== null && wanted.includes(value))

/** False when the header tells already that the update is not wanted, so that it need not be decoded. */
export const mayBeWanted = (headers: IHeaders | undefined, { all }: Choice): boolean =>
  all || headers?.ce_type?.toString() !== CONFIRMED_TYPE

export const isWanted = (update: StatusUpdate, { all, sessions, zones, kinds }: Choice): boolean =>
  (all || update.changed) &&
  among(sessions, update.session_id) &&
  among(zones, update.zone_id) &&
  among(kinds, update.kind)
