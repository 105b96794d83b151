/** Accepting jobs: everything the route does, against a route that does nothing but `queue.add`. */
import { randomUUID } from 'node:crypto'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import { httpRequest } from './http-load.ts'
import { CONNECTIONS, httpRows } from './http-pair.ts'
import { QUESTION, spawnApi, token } from './stagecast.ts'

export const execute: Benchmark = {
  name: 'execute',
  title: `Execute, ${CONNECTIONS} connections, each of another user`,
  async run(bench) {
    return [...(await compare(bench, 'info')), ...(await compare(bench, 'silent'))]
  },
}

/** Both sides log their requests, as in production, or neither does. */
async function compare(bench: Bench, LOG_LEVEL: string): Promise<Row[]> {
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: bench.prefix(), LOG_LEVEL }
  const accepted = Array.from({ length: CONNECTIONS }, (_, i) =>
    httpRequest(
      'POST',
      '/api/workflow/stages/2/execute',
      { authorization: `Bearer ${token(`user-${i}`)}` },
      body(),
    ),
  )
  const added = httpRequest('POST', '/execute', {}, body())
  return httpRows(bench, {
    ours: {
      name: 'Stagecast',
      start: () => spawnApi(bench, bench.prefix(), { LOG_LEVEL }),
      request: (i) => accepted[i] as string,
    },
    floor: {
      name: 'queue.add only',
      start: () => bench.spawn('floor-execute', { env }),
      request: () => added,
    },
    status: 202,
    prepare: () => bench.redis.flushall(),
    target: 1,
    slowest: 1,
    label: LOG_LEVEL === 'silent' ? ', no log' : '',
  })
}

function body(): string {
  return JSON.stringify({
    workflow_id: randomUUID(),
    research_question: QUESTION,
    inputs: { max_results: 10 },
  })
}
