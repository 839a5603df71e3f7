import { error } from './families/error.ts'
import type { Family, Field } from './families/family.ts'
import { parkingRight } from './families/parking-right.ts'
import { ratesActivate } from './families/rates-activate.ts'
import { ratesPrice } from './families/rates-price.ts'
import { ratesZone } from './families/rates-zone.ts'
import { sessionData } from './families/session-data.ts'
import { remember } from './remember.ts'
import { plainName } from './sensitive-fields.ts'

/** Where a body has several names of a field, those of the earlier family are better. */
const FAMILIES: readonly Family[] = [sessionData, ratesZone, ratesPrice, ratesActivate, parkingRight, error]

/** What a name means. */
export interface Name {
  /** Place of its field in the list; null: of none. */
  number: number | null
  /** Of all names of the field; 0 is the best. */
  rank: number
  /** Names within, where it may hold an object. */
  inner: ((key: string) => Name) | null
}

/** Means nothing to us. */
export const NO_NAME: Name = { number: null, rank: 0, inner: null }

/** What a key of a body means for these fields, in any case and with any separators. */
export function namesOf(fields: readonly Field[]): (key: string) => Name {
  const names = new Map<string, Name>()
  const inners = new Map<string, Map<string, Name>>()
  for (const [number, field] of fields.entries()) {
    const paths = new Set(FAMILIES.flatMap((family) => family[field]?.split(/\s+/) ?? []))
    for (const [rank, path] of [...paths].entries()) {
      const [outer = '', inner] = path.split('.')
      const name = { number, rank, inner: null }
      if (inner === undefined) names.set(outer, name)
      else inners.set(outer, new Map(inners.get(outer)).set(inner, name))
    }
  }
  for (const [outer, inner] of inners) names.set(outer, { ...(names.get(outer) ?? NO_NAME), inner: lookUp(inner) })
  return lookUp(names)
}

const lookUp = (names: ReadonlyMap<string, Name>) => remember((key) => names.get(plainName(key)) ?? NO_NAME)
