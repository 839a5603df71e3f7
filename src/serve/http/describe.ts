/** `/openapi.json`, and `/docs` to read it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { version } from '../../operate/version.ts'
import { etagOf } from '../cache/answer.ts'
import { sendTagged } from './send.ts'

export async function describe(server: FastifyInstance): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'pm-parking-events',
        version: version(),
        description:
          'What is parked where: cache documents, sessions, zones, and status updates as they happen. Credentials may be for some zones ' +
          'only: then an event belongs to the zone that it names, a session, with all that is told of it, to the zone where it is now, ' +
          'and what belongs to another zone is not found.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a JWT' },
          key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        },
      },
      security: [{ bearer: [] }, { key: [] }],
    },
    transform: ({ schema, url, route }) => ({ schema: { ...schema, ...needing(route.config?.scope) }, url }),
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  })
  await server.register(swaggerUi, { routePrefix: '/docs', staticCSP: false, logo: NO_LOGO })
  let told: { json: string; etag: string } | undefined
  server.get('/openapi.json', { config: { scope: null }, schema: { hide: true } }, (request, reply) => {
    if (told === undefined) {
      const json = JSON.stringify(server.swagger())
      told = { json, etag: etagOf(json) }
    }
    reply.header('cache-control', 'no-cache')
    return sendTagged(request, reply, told.json, told.etag)
  })
}

/** The scope that a route asks for, as a role of either kind of credentials. */
const needing = (scope: string | null | undefined) =>
  typeof scope === 'string' ? { security: [{ bearer: [scope] }, { key: [scope] }] } : {}

/** One transparent point. */
const NO_LOGO = {
  type: 'image/gif',
  content: Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'),
}
