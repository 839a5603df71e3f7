import { createRequire } from 'node:module'

/** The module of kafkajs that uses what we replace. */
const USER = 'kafkajs/src/network/connection.js'
const require = createRequire(import.meta.url)

/**
 * Puts `exports` in the place of an inner module of kafkajs. It counts for whoever loads that module afterwards, so it must
 * happen before kafkajs itself is loaded: `kafkajs.ts` sees to that.
 */
export function replaceModule(path: string, exports: unknown): void {
  if (require.cache?.[require.resolve(USER)])
    throw new Error(`${path} is in use already: import stream/kafkajs.ts first`)
  require(path)
  const loaded = require.cache?.[require.resolve(path)]
  if (loaded) loaded.exports = exports
}
