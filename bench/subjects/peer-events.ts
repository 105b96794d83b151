/**
 * The same streams, with other libraries. PEER: `better-sse` and `fastify-sse` forward one pinned QueueEvents with a
 * library's send; `per-client` opens a QueueEvents for each client, as examples do.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastifySSE } from '@fastify/sse'
import { createSession } from 'better-sse'
import { QueueEvents } from 'bullmq'
import Fastify from 'fastify'
import { connectRedis } from '../../journal/redis.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', PEER = '' } = process.env
type Send = (id: string, data: unknown) => void
const watching = new Map<string, Set<Send>>()

const url = PEER === 'fastify-sse' ? await serveFastify() : await serveNode()
if (PEER !== 'per-client') {
  const events = openEvents('0-0')
  events.on('progress', ({ jobId, data }, id) => {
    for (const send of watching.get(jobId) ?? []) send(id, data)
  })
  await events.waitUntilReady()
}
answering({ url })

function openEvents(lastEventId?: string): QueueEvents {
  const connection = connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX)
  return new QueueEvents('floor', { connection, prefix: REDIS_PREFIX, ...(lastEventId && { lastEventId }) })
}

function watch(job: string, send: Send): () => void {
  const others = watching.get(job) ?? new Set()
  watching.set(job, others.add(send))
  return () => others.delete(send)
}

async function serveFastify(): Promise<string> {
  const app = Fastify()
  await app.register(fastifySSE)
  app.get('/:job', { sse: { kind: 'only' } }, async (request, reply) => {
    const { job } = request.params as { job: string }
    reply.sse.keepAlive()
    await reply.sse.send({ data: 'connected' })
    const stop = watch(job, (id, data) => void reply.sse.send({ id, event: 'progress', data }))
    reply.sse.onClose(stop)
  })
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function serveNode(): Promise<string> {
  const server = createServer((request, response) => {
    const job = request.url?.slice(1) ?? ''
    if (PEER === 'better-sse') void serveBetterSse(job, request, response)
    else void serveAlone(job, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serveBetterSse(
  job: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await createSession(request, response)
  const stop = watch(job, (id, data) => session.push(data, 'progress', id))
  session.once('disconnected', stop)
  session.push('connected')
}

async function serveAlone(job: string, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const events = openEvents()
  events.on('progress', ({ jobId, data }, id) => {
    if (jobId === job) response.write(`id: ${id}\nevent: progress\ndata: ${JSON.stringify(data)}\n\n`)
  })
  await events.waitUntilReady()
  response.write(': connected\n\n')
}
