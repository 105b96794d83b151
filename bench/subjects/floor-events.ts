/**
 * The floors of watching: plain node:http, a Map from job to answers, and `write`. SOURCE names the source of events:
 * `queue-events` (BullMQ's QueueEvents, pinned), `stream` (XREAD of a stream), or `parent` (a question of the benchmark).
 */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { QueueEvents } from 'bullmq'
import { connectRedis } from '../../journal/redis.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', SOURCE = 'parent' } = process.env
const watching = new Map<string, Set<ServerResponse>>()

const server = createServer((request, response) => {
  const job = request.url ?? ''
  const others = watching.get(job) ?? new Set()
  watching.set(job, others.add(response))
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  response.write(': connected\n\n')
  // The response to a reconnect, if that is measured.
  const missed = request.headers['x-missed']
  if (missed) response.write(Buffer.from(String(missed), 'base64'))
  response.on('close', () => others.delete(response))
})
server.listen(0, '127.0.0.1', 16_384)
await once(server, 'listening')

if (SOURCE === 'queue-events') {
  const connection = connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX)
  const events = new QueueEvents('floor', { connection, prefix: REDIS_PREFIX, lastEventId: '0-0' })
  events.on('progress', ({ jobId, data }, id) => send(`/${jobId}`, id, JSON.stringify(data)))
  await events.waitUntilReady()
}
if (SOURCE === 'stream') void follow()

answering(
  { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
  {
    broadcast({ job, frame }: { job: string; frame: string }) {
      const bytes = Buffer.from(frame)
      for (const response of watching.get(job) ?? []) response.write(bytes)
    },
  },
)

async function follow(): Promise<void> {
  const redis = connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX)
  let position = '0-0'
  for (;;) {
    const batch = await redis.xread('COUNT', 1000, 'BLOCK', 2000, 'STREAMS', `${REDIS_PREFIX}:far`, position)
    for (const [id, [, job, , data]] of batch?.[0]?.[1] ?? []) {
      position = id
      send(`/${job}`, id, data as string)
    }
  }
}

function send(path: string, id: string, data: string): void {
  for (const response of watching.get(path) ?? [])
    response.write(`id: ${id}\nevent: progress\ndata: ${data}\n\n`)
}
