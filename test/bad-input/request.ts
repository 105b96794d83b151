/** A bad request as data, sent exactly as written. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { finished } from 'node:stream/promises'
import type { ErrorCode } from '../../contract/errors.ts'
import type { Answered } from '../helpers/problem.ts'
import { sendRaw } from '../helpers/raw.ts'

/** The jobs and tokens that bad requests use. */
export interface Scene {
  /** A valid token of alice. */
  token: string
  /** Path of a finished job of alice, `/api/workflow/stages/2/jobs/<id>`. */
  mine: string
  /** Path of a finished job of bob. */
  foreign: string
  /** Tickets for alice's job and for bob's, and an expired ticket. */
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
  /** The exact bytes to send, instead of the fields above. */
  bytes?: string | Buffer
}

/** Sends the request over a separate connection. */
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
  // Once the server has answered, it need not read the rest.
  sent.on('error', () => {})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  // An event stream that ends before its job is interrupted; any other response must be complete.
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
