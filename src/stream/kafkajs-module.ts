import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Puts `exports` in the place of an inner module of kafkajs. It counts for whoever loads that module afterwards, so it must
 * happen before kafkajs itself is loaded: `kafkajs.ts` sees to that.
 */
export function replaceModule(path: string, exports: unknown): void {
  require(path)
  const loaded = require.cache?.[require.resolve(path)]
  if (loaded) loaded.exports = exports
}
