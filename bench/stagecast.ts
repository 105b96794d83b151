/** Stagecast as in production: environment and users for benchmarks. */
import { createHmac, randomUUID } from 'node:crypto'
import type { Bench } from './benchmark.ts'
import type { Child, ChildOptions } from './child.ts'

const JWT_SECRET = 'a secret of the benchmarks, of more than thirty-two bytes'

export const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'

/** Limits are counted but too high to be reached. */
export function production(bench: Bench, prefix: string, overrides: Record<string, string> = {}) {
  return {
    NODE_ENV: 'production',
    PORT: '0',
    REDIS_URL: bench.redisUrl,
    REDIS_PREFIX: prefix,
    WORKER_URL: 'http://127.0.0.1:9',
    JWT_SECRET,
    RATE_LIMIT_PER_MINUTE: '1000000000',
    SSE_MAX_CONNECTIONS: '100000',
    SSE_MAX_PER_USER: '100000',
    ...overrides,
  }
}

/** An API process. */
export function spawnApi(
  bench: Bench,
  prefix: string,
  overrides: Record<string, string> = {},
  options: ChildOptions = {},
): Promise<Child> {
  return bench.spawn('stagecast-api', { ...options, env: production(bench, prefix, overrides) })
}

/** A bearer token. */
export function token(sub: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, iat: now, exp: now + 86_400 })}`
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`
}

export interface Accepted {
  job_id: string
  urls: { status: string; events: string }
}

/** Executes a job over HTTP. */
export async function executeJob(url: string, bearer: string): Promise<Accepted> {
  const response = await fetch(`${url}/api/workflow/stages/2/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION }),
  })
  if (response.status !== 202)
    throw new Error(`execute answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Accepted
}
