/** Shared code of the tests that kill processes or Redis during runs. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Run } from '../../contract/run.ts'
import { connectRedis } from '../../journal/redis.ts'
import { type Door, type Env, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { KeptWork, type Runs } from './scene.ts'

export const DIE_AFTER = new URL('die-after.mjs', import.meta.url).href

/** 1 and 2 run side by side; 3 is a gate after both. */
export const STAGES = [
  { stage: 1 },
  { stage: 2 },
  { stage: 3, needs: [1, 2], sign_off: true },
  { stage: 4, needs: [3] },
  { stage: 5, needs: [4] },
]

export type Opened = Awaited<ReturnType<typeof open>>

/** An environment, a service that honours the key, and a check of finished runs against the data in Redis. */
export async function open(t: Test, over: Env = {}) {
  const work = new KeptWork()
  const service = await fakeStageService(t, work.answer)
  const file = await stagesFile(t, STAGES)
  const env = await testEnv(t, {
    ...{ WORKER_URL: service.url, STAGES_FILE: file, LOG_LEVEL: 'info', SSE_MAX_PER_USER: '0' },
    ...{ WORKER_LOCK_MS: '1000', WORKER_STALLED_CHECK_MS: '300', STAGE_JOB_ATTEMPTS: '50' },
    ...over,
  })
  const redis = connectRedis(env.REDIS_URL as string, 'blocking', env.REDIS_PREFIX as string)
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const audit = async (runs: Runs, run: Run) => [
    ...(await runs.faults(run, redis, env.REDIS_PREFIX as string)),
    ...(work.of(run).every((times) => times === 1) ? [] : [`done ${work.of(run)} times`]),
  ]
  return { env, work, service, audit }
}

export interface Doom {
  dieAfter: number
  from?: string
  victim?: number
  unanswered?: boolean
}

/** Sends a message to die-after.mjs. Returns whether the process has killed its victim since the last call. */
export async function arm(door: Door, doom: Doom): Promise<boolean> {
  const armed = once(door.child, 'message')
  door.child.send(doom)
  const [{ hasKilled }] = await armed
  return hasKilled
}

/** Repeats a request that a killed process did not answer, as a client does. */
export async function persistently<T>(ask: () => Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const answer = await ask().catch(() => null)
    if (answer) return answer
    await delay(20)
  }
}

/** Starts a run. A repeat returns the same run. */
export function begin(runs: Runs, key: string, stages: readonly number[]) {
  return persistently(async () => {
    const { status, body } = await runs.send('/runs', { stages }, { 'idempotency-key': key })
    return status === 202 ? (body as Run & { urls: { events: string } }) : null
  })
}

/** Signs off stage 3 and repeats the request until it is confirmed. */
export function signOff(runs: Runs, waiting: Run) {
  return persistently(async () => (await runs.sign(waiting, 3)).status === 200)
}

/** Behaves like a client of a Redis that may lose a second: repeats lost requests until the run is in the wanted state. */
export function drive(runs: Runs, key: string, stages: readonly number[], goal: Run['status']): Promise<Run> {
  return persistently(async () => {
    const run = await runs.read((await begin(runs, key, stages)).run_id)
    if (run.status === 'waiting' && goal === 'completed') await runs.sign(run, 3)
    return run.status === goal ? run : null
  })
}
