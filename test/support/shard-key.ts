import type { Document } from 'mongodb'
import type { Sent } from './router.ts'

/**
 * What a cluster that is sharded by `_id` has to say of a command: nothing, if it can send each statement to the one shard whose
 * documents it is about.
 */
export function complaintsOf({ name, command }: Sent): string[] {
  if ('autocommit' in command || 'startTransaction' in command) return [`${name} is part of a transaction`]
  const judge = JUDGES[name]
  if (judge === undefined) return [`nobody has thought about what ${name} does on a sharded cluster`]
  return judge(command)
}

const NOTHING = () => []

const JUDGES: Record<string, (command: Document) => string[]> = {
  insert: ({ documents }) => documents.filter((one: Document) => !isId(one._id)).map(() => 'a document has no _id'),
  update: ({ updates }) => updates.flatMap(complaintsOfUpdate),
  delete: ({ deletes }) => deletes.flatMap(({ q }: Document) => complaintsOfQuery('delete', q)),
  findAndModify: ({ query }) => complaintsOfQuery('findAndModify', query),
  createIndexes: ({ indexes }) =>
    indexes.filter(({ unique }: Document) => unique).map(({ name }: Document) => `the index ${name} is unique`),
  aggregate: ({ pipeline }) => ('$changeStream' in (pipeline[0] ?? {}) ? [] : ['an aggregate is no change stream']),
  ...{ find: NOTHING, getMore: NOTHING, killCursors: NOTHING, explain: NOTHING, ping: NOTHING, listIndexes: NOTHING },
}

function complaintsOfUpdate({ q, multi }: Document): string[] {
  return [...complaintsOfQuery('update', q), ...(multi ? ['an update is of many documents'] : [])]
}

function complaintsOfQuery(name: string, query: Document): string[] {
  return isId(query._id) ? [] : [`the query of ${name} has no _id to be equal to, only ${Object.keys(query)}`]
}

/** A value, and no condition such as `{ $in: … }`: ids of documents are texts. */
const isId = (value: unknown) => typeof value === 'string'

/** What a write does, as `src/documents/commands.ts` calls its forms. */
export function formsOf({ name, command }: Sent): string[] {
  if (name === 'insert') return ['insert']
  if (name !== 'update') return []
  return command.updates.map(({ c, upsert }: Document) =>
    upsert ? 'merge' : c?.seen !== undefined ? 'replace' : 'times',
  )
}
