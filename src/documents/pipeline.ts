import type { Document } from 'mongodb'
import type { Existing } from './guard.ts'

/**
 * `documents/merge.ts` as a MongoDB update pipeline: the server joins the stored document (`$$ROOT`) with `$$new`,
 * atomically. `$$new` is given as a constant (`c`) of the update statement, so nothing in a record's content is ever read
 * as an expression, whatever its keys begin with or contain.
 *
 * - With `upsert` it starts from `{ _id }` when MongoDB has dropped the document meanwhile (TTL), and stores `$$new`.
 * - A document of an earlier application, without `cache`, is older than any record: its order is the empty text. If its
 *   `http_status` says success it is kept as `cache.lastSuccess` like any other success.
 * - Absent fields stay absent: an expression that yields nothing leaves its field out. In MongoDB's order nothing < null <
 *   text, so comparisons with an absent order come out as in `merge`.
 * - If nothing changes, the result equals the stored document to the byte, and MongoDB counts it as not modified.
 */
const oldOrder = { $ifNull: ['$cache.order', ''] }

const oldIsSuccess = {
  $cond: [
    { $eq: [{ $type: '$cache' }, 'object'] },
    { $not: [{ $in: ['$cache.kind', ['error', 'tombstone']] }] },
    { $and: [{ $isNumber: '$http_status' }, { $gt: ['$http_status', 0] }, { $lt: ['$http_status', 400] }] },
  ],
}

const oldSuccess = {
  $cond: [
    oldIsSuccess,
    {
      ...contentOf('$'),
      observedAt: { $ifNull: ['$cache.observedAt', '$updatedAt', '$createdAt', '$$new.createdAt'] },
      order: oldOrder,
    },
    '$cache.lastSuccess',
  ],
}

const newSuccess = {
  $cond: [
    { $in: ['$$new.cache.kind', ['error', 'tombstone']] },
    '$$new.cache.lastSuccess',
    { ...contentOf('$$new.'), observedAt: '$$new.cache.observedAt', order: '$$new.cache.order' },
  ],
}

const success = {
  $let: {
    vars: { a: oldSuccess, b: newSuccess },
    in: { $cond: [{ $gt: ['$$b.order', '$$a.order'] }, '$$b', '$$a'] },
  },
}

/** Null when no tombstone is known: `$max` passes over what is absent. */
const erased = { $max: [tombstoneIn('$cache'), tombstoneIn('$$new.cache')] }

const mergedCache = {
  $mergeObjects: [
    { $unsetField: { field: 'lastSuccess', input: { $unsetField: { field: 'erased', input: '$$holder.cache' } } } },
    {
      lastSuccess: {
        $cond: [
          { $and: [{ $eq: ['$$holder.cache.kind', 'error'] }, { $gt: ['$$success.order', '$$erased'] }] },
          '$$success',
          '$$REMOVE',
        ],
      },
      erased: {
        $cond: [
          { $or: [{ $eq: ['$$erased', null] }, { $eq: ['$$holder.cache.kind', 'tombstone'] }] },
          '$$REMOVE',
          '$$erased',
        ],
      },
    },
  ],
}

export const mergePipeline: readonly Document[] = [
  {
    $replaceWith: {
      $let: {
        vars: {
          holder: { $cond: [{ $gt: ['$$new.cache.order', oldOrder] }, '$$new', '$$ROOT'] },
          success,
          erased,
        },
        in: {
          $mergeObjects: [
            '$$holder',
            {
              createdAt: { $min: ['$createdAt', '$$new.createdAt'] },
              updatedAt: { $max: ['$updatedAt', '$$new.updatedAt'] },
              cache: mergedCache,
            },
          ],
        },
      },
    },
  },
]

/**
 * Puts `$$new` in the place of the stored document if that still is as it was read (`seenConstant`), else changes nothing.
 * For documents that `guard.ts` could merge from a projected read. What is compared is all that a merge can change.
 */
export const replacePipeline: readonly Document[] = [
  {
    $replaceWith: {
      $cond: [
        { $eq: [['$cache.order', '$createdAt', '$updatedAt', '$cache.erased', '$cache.lastSuccess.order'], '$$seen'] },
        '$$new',
        '$$ROOT',
      ],
    },
  },
]

/** What `$$seen` must hold; an array expression gives null for a field that is absent. */
export function seenConstant({ cache, createdAt, updatedAt }: Existing): unknown[] {
  const seen = [cache?.order, createdAt, updatedAt, cache?.erased, cache?.lastSuccess?.order]
  return seen.map((value) => value ?? null)
}

/** The content fields of the document at `path`; those it does not have stay out. */
function contentOf(path: '$' | '$$new.'): Document {
  return {
    card: `${path}card`,
    http_status: `${path}http_status`,
    response: `${path}response`,
    payload: `${path}payload`,
    user_id: `${path}user_id`,
  }
}

function tombstoneIn(cache: '$cache' | '$$new.cache'): Document {
  return { $cond: [{ $eq: [`${cache}.kind`, 'tombstone'] }, `${cache}.order`, `${cache}.erased`] }
}
