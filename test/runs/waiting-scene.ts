/** Runs that wait for a sign-off, and the commands that Redis gets meanwhile. */
import type { Test } from 'tap'
import type { Run } from '../../contract/run.ts'
import { startApi, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { privateRedis } from '../helpers/redis.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { Runs } from './scene.ts'

const AT_ONCE = 20

export interface Watched {
  /** Commands between the first and the last report of the worker. */
  commands: number
  /** The keys in these commands. */
  keys: string[]
  /** Commands that named a run, its workflow or a job of it. */
  aboutRuns: string[]
}

export async function openWaiting(t: Test) {
  const service = await fakeStageService(t)
  const STAGES_FILE = await stagesFile(t, [
    { stage: 1, sign_off: true },
    { stage: 2, needs: [1] },
  ])
  // ioredis confuses the first lines of MONITOR with replies, unless there are few other commands.
  const { url: REDIS_URL } = await privateRedis(t)
  const over = { WORKER_URL: service.url, STAGES_FILE, STAGE_WORKER_CONCURRENCY: '20' }
  const env = await testEnv(t, { ...over, REDIS_URL })
  const { app, url } = await startApi(t, env)
  startWorker(t, env)
  const { redis } = app.stagecast
  const { keys } = app.stagecast.journal
  const waiting: Run[] = []

  /** Starts runs until `count` of them wait at their gate and nothing else happens. */
  async function fill(count: number): Promise<void> {
    let left = count - waiting.length
    const one = async () => {
      while (left-- > 0) waiting.push(await new Runs(() => url).post({ stages: [1, 2] }))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
    const atRest = async () => {
      const runQueue = ['active', 'wait', 'delayed', 'waiting-children'].map((state) =>
        keys.own(state).replace('workflow-stages', 'workflow-runs'),
      )
      const left = await Promise.all([...runQueue, keys.own('active')].map((key) => redis.exists(key)))
      return (await redis.zcard(keys.own('runs-waiting'))) === count && left.every((there) => there === 0)
    }
    await eventually(`${count} runs wait`, atRest, 300_000)
  }

  /** The commands that Redis gets during a number of reports of the worker. */
  async function watch(heartbeats: number): Promise<Watched> {
    const monitor = await redis.monitor()
    const seen: string[][] = []
    let beats = 0
    await new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, args: string[]) => {
        if (!args.some((arg) => arg.includes(env.REDIS_PREFIX as string))) return
        if (args[0]?.toLowerCase().startsWith('eval') && args.includes(keys.workers)) beats += 1
        if (beats > 0) seen.push(args)
        if (beats > heartbeats) resolve()
      })
    })
    monitor.disconnect()
    const own = waiting.flatMap(({ run_id, workflow_id, steps }) => [
      ...[run_id, workflow_id, ...steps.flatMap(({ job_id }) => job_id ?? [])],
    ])
    const ids = new RegExp(own.join('|'))
    const named = seen.flatMap((args) => args.filter((arg) => arg.startsWith(env.REDIS_PREFIX as string)))
    return {
      commands: seen.length,
      keys: [...new Set(named)].sort(),
      aboutRuns: seen.map((args) => args.join(' ')).filter((line) => ids.test(line)),
    }
  }
  return { fill, watch }
}
