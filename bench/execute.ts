/** Accepting jobs: the full route, against a route that only calls `queue.add`. */
import { randomUUID } from 'node:crypto'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import { httpRequest } from './http-load.ts'
import { CONNECTIONS, httpRows } from './http-pair.ts'
import { production, QUESTION, spawnApi, token } from './stagecast.ts'

/** Replaced by the key of each request. */
const PLACE = 'the-key'

export const execute: Benchmark = {
  name: 'execute',
  title: `Execute, ${CONNECTIONS} connections, each of a different user`,
  async run(bench) {
    return [
      ...(await compare(bench, { level: 'info', target: 1 })),
      ...(await compare(bench, { level: 'silent', target: 1, label: ', no log' })),
      ...(await compare(bench, { level: 'info', target: 0.9, label: ', Idempotency-Key', isKeyed: true })),
      ...(await compare(bench, { level: 'info', label: ', least route', isLeast: true })),
    ]
  },
}

interface Case {
  /** Log level of both sides. */
  level: string
  /** Share of the floor's rate to reach. */
  target?: number
  label?: string
  /** Whether each request has a different Idempotency-Key. */
  isKeyed?: boolean
  /** Measures the least that any such route has to do, instead of ours. */
  isLeast?: boolean
}

async function compare(bench: Bench, { level, target, label = '', isKeyed, isLeast }: Case): Promise<Row[]> {
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: bench.prefix(), LOG_LEVEL: level }
  const accepted = Array.from({ length: CONNECTIONS }, (_, i) =>
    httpRequest(
      'POST',
      '/api/workflow/stages/2/execute',
      { authorization: `Bearer ${token(`user-${i}`)}`, ...(isKeyed && { 'idempotency-key': PLACE }) },
      body(),
    ),
  )
  let keys = 0
  const keyed = (request: string) => {
    keys += 1
    return request.replace(PLACE, `key-${keys}`)
  }
  const added = httpRequest('POST', '/execute', {}, body())
  return httpRows(bench, {
    ours: {
      name: isLeast ? 'the least that execute does' : 'Stagecast',
      start: () =>
        isLeast
          ? bench.spawn('least-execute', { env: production(bench, bench.prefix(), { LOG_LEVEL: level }) })
          : spawnApi(bench, bench.prefix(), { LOG_LEVEL: level }),
      request: (i) => (isKeyed ? keyed(accepted[i] as string) : (accepted[i] as string)),
    },
    floor: {
      name: 'queue.add only',
      start: () => bench.spawn('floor-execute', { env }),
      request: () => added,
    },
    status: 202,
    prepare: () => bench.redis.flushall(),
    label,
    ...(target && { target }),
    ...(target && !isKeyed && { slowest: 1 }),
  })
}

function body(): string {
  return JSON.stringify({
    workflow_id: randomUUID(),
    research_question: QUESTION,
    inputs: { max_results: 10 },
  })
}
