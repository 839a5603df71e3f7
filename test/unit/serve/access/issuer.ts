/** An issuer of JWTs for tests: real keys, and a real HTTP server that publishes them. */
import { KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { createLog } from '../../../../src/operate/log.ts'

export const ISSUER = 'https://login.example.com/'
export const AUDIENCE = 'parking'

export interface Signer {
  kid: string
  alg: string
  privateKey: CryptoKey
  /** The public key as a JWKS has it. */
  jwk: JWK
}

export async function newSigner(alg: string, kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** Claims as an issuer might give them, right or wrong. */
export type Claims = Record<string, unknown>

/** Claims that are right. */
export const rightClaims = (): JWTPayload & Claims => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'dashboard',
  exp: Math.floor(Date.now() / 1_000) + 600,
  scope: 'events:read',
})

/** A JWT with these claims beside the right ones; undefined takes one away. */
export const jwtOf = (signer: Signer, claims: Claims = {}, header: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ ...rightClaims(), ...claims } as JWTPayload)
    .setProtectedHeader({ alg: signer.alg, kid: signer.kid, ...header })
    .sign(signer.privateKey)

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT with a header that no honest library would write, signed all the same, with ES256. */
export function oddJwt(signer: Signer, header: Record<string, unknown>, claims: Claims = rightClaims()): string {
  const text = `${part(header)}.${part(claims)}`
  const key = KeyObject.from(signer.privateKey)
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** An unsigned one. */
export const unsignedJwt = (header: Record<string, unknown>): string => `${part(header)}.${part(rightClaims())}.`

export interface Jwks extends AsyncDisposable {
  url: string
  /** How often it was asked. */
  asked(): number
  publish(...jwks: JWK[]): void
  /** Answers in another way from now on, until it publishes again. */
  answer(how: (response: ServerResponse) => void): void
}

export async function startJwks(...first: JWK[]): Promise<Jwks> {
  let asked = 0
  const publishing = (keys: JWK[]) => (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  }
  let respond = publishing(first)
  const server = createServer((_, response) => {
    asked++
    respond(response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    asked: () => asked,
    publish(...jwks) {
      respond = publishing(jwks)
    },
    answer(how) {
      respond = how
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** A log and what it has written, line by line. */
export function newLog() {
  const lines: Record<string, unknown>[] = []
  const log = createLog('debug', { write: (line: string) => lines.push(JSON.parse(line)) })
  return { log, lines }
}

/** A clock that moves only when it is told to. */
export function newClock() {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    pass(ms: number) {
      ahead += ms
    },
  }
}
