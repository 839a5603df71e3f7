import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the range from which systems draw the ports of outgoing connections. While a service is stopped, a client that
 * keeps trying its port could otherwise be given that very port as its own, and then hold it when the service returns.
 */
const FIRST = 20_000
const LAST = 32_000
const given = new Set()
/** `count` different ports that nothing listens on at 127.0.0.1 and that this process has not been given before. */
export async function freePorts(count) {
  const ports = []
  for (let attempt = 0; ports.length < count; attempt++) {
    if (attempt > 1_000) throw new Error(`No free port between ${FIRST} and ${LAST}: stop what listens there`)
    const port = randomInt(FIRST, LAST)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    ports.push(port)
  }
  return ports
}
export function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
//# sourceMappingURL=ports.js.map
