/** One bad request as data, and how it is sent: nothing is repaired on the way. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { finished } from 'node:stream/promises'
import type { ErrorCode } from '../../contract/errors.ts'
import type { Answered } from '../helpers/problem.ts'
import { sendRaw } from '../helpers/raw.ts'

/** What there is to be abused. */
export interface Scene {
  /** A good token of alice. */
  token: string
  /** Path of a finished job of alice, `/api/workflow/stages/2/jobs/<id>`. */
  mine: string
  /** Path of a finished job of bob. */
  foreign: string
  /** Tickets of alice's job, of bob's, and of one that has expired. */
  ticket: string
  foreignTicket: string
  expiredTicket: string
}

export interface BadRequest {
  about: string
  code: ErrorCode
  /** Default GET, or POST when there is a body. */
  method?: string
  path?: string
  headers?: Record<string, string | string[]>
  body?: string | Buffer
  /** Instead of all that: the very bytes. */
  bytes?: string | Buffer
}

/** Sends it over a connection of its own. */
export async function send(
  url: string,
  { method, path = '/', headers = {}, body, bytes }: BadRequest,
): Promise<Answered> {
  if (bytes !== undefined) return sendRaw(url, bytes)
  const { hostname, port } = new URL(url)
  const options = {
    hostname,
    port,
    path,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...headers, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) },
    agent: false,
  }
  const sent = request(options)
  // A server that has answered need not read the rest.
  sent.on('error', () => {})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  // An event stream that ends before its job is cut; any other response has to be complete.
  const isStream = /^text\/event-stream/.test(response.headers['content-type'] ?? '')
  await finished(response).catch((error) => {
    if (!isStream) throw error
  })
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name]
      return value === undefined ? undefined : String(value)
    },
    text: Buffer.concat(chunks).toString(),
  }
}
