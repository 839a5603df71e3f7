/** The parts of a sharded cluster: where they answer, and how they know each other. */
export interface ShardedParts {
  /** Replica sets of one member, yet to be initiated: of the configuration, then the shards. */
  sets: { name: string; uri: string; host: string }[]
  /** Once these have primaries; `host:port` of each. */
  startRouters: () => Promise<string[]>
  discard: () => Promise<void>
}

export const CONFIGURATION = 'config'
export const SHARDS = ['shard-0', 'shard-1'] as const
