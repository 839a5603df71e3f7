import type { FastifyReply } from 'fastify'
import type { Live } from '../../live/live.ts'

/** What is kept from the status topic is always a hit; stale while Kafka is away, by as much as it has been away. */
export function setLiveHeaders(reply: FastifyReply, { awaySeconds }: Live): void {
  const away = awaySeconds()
  const status = away > 0 ? `hit; ttl=-${away}; detail=stale` : 'hit; detail=live'
  reply.header('cache-status', `pm-parking-events; ${status}`).header('age', away)
}
