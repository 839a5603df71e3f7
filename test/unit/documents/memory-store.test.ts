import { createMemoryStore } from '../../support/memory-store.ts'
import { storeConformance } from '../../support/store-conformance.ts'

storeConformance('the store in memory', async () => {
  const store = createMemoryStore()
  return { store, stored: async (id) => store.documents.get(id), [Symbol.asyncDispose]: async () => {} }
})
