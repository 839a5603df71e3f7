/** The web page at `/`, as Vite built it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { RequestProblem, sendProblem } from './problems.ts'

export async function servePage(server: FastifyInstance, directory: string | null): Promise<void> {
  if (directory === null || !existsSync(join(directory, 'index.html'))) {
    server.get('/', { config: { scope: null }, schema: { hide: true } }, async (_, reply) =>
      sendProblem(reply, new RequestProblem('not-found', 'The page was not built', 'Run: npm run build')),
    )
    return
  }
  await server.register(fastifyStatic, {
    root: directory,
    wildcard: false,
    // Assets have a hash of their content in their names; the page itself is asked for each time.
    setHeaders(reply, path) {
      const isAsset = path.includes(join(directory, 'assets'))
      reply.header('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
