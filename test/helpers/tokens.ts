/** Makes valid and invalid tokens, and serves an issuer's key set over HTTP. */
import { createHmac, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { JWT_SECRET } from './app.ts'

export interface TokenParts {
  header?: Record<string, unknown>
  /** Added to valid claims; `undefined` removes one. */
  claims?: Record<string, unknown>
  /** JSON text to use instead of the claims. */
  payload?: string
  /** A secret for HS*, a private key for RS* and ES*. */
  key?: string | KeyObject
}

export function inOneHour(): number {
  return Math.floor(Date.now() / 1000) + 3600
}

/** A token, signed as its header says. */
export function makeToken({ header = {}, claims = {}, payload, key = JWT_SECRET }: TokenParts = {}): string {
  const head = { alg: 'HS256', typ: 'JWT', ...header }
  const body = payload ?? JSON.stringify({ sub: 'alice', exp: inOneHour(), ...claims })
  const signed = `${base64url(JSON.stringify(head))}.${base64url(body)}`
  return `${signed}.${signature(String(head.alg ?? 'HS256'), signed, key)}`
}

function signature(alg: string, text: string, key: string | KeyObject): string {
  if (alg.toLowerCase() === 'none') return ''
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('HS')) return createHmac(hash, key).update(text).digest('base64url')
  const options = { key: key as KeyObject, dsaEncoding: 'ieee-p1363' as const }
  return sign(hash, Buffer.from(text), options).toString('base64url')
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}

export interface Issuer {
  url: string
  /** How often the keys were requested. */
  requests: number
  answer: RequestListener
  /** Stops listening, so that connections are refused. */
  stop(): Promise<void>
  /** Listens on the same port again. */
  start(): Promise<void>
}

/** Serves a key set; closed with the test. */
export async function startIssuer(t: Test, answer: RequestListener): Promise<Issuer> {
  let server: Server
  let port = 0
  const issuer: Issuer = {
    url: '',
    requests: 0,
    answer,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    async start() {
      server = createServer((request, response) => {
        issuer.requests += 1
        issuer.answer(request, response)
      }).listen(port, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
    },
  }
  await issuer.start()
  issuer.url = `http://127.0.0.1:${port}/keys`
  t.teardown(() => issuer.stop())
  return issuer
}

/** Answers with a key set. */
export function serveKeys(...keys: { kid?: string; key: KeyObject }[]): RequestListener {
  const jwks = {
    keys: keys.map(({ kid, key }) => ({ ...key.export({ format: 'jwk' }), ...(kid && { kid }) })),
  }
  return (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(jwks))
}
