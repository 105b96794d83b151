/** The cost of one job: Redis commands, bytes in Redis during and after it, bytes sent to a watching client. */
import type { Redis } from 'ioredis'
import type { JournalKeys } from '../journal/journal.ts'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import { OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { executeJob, production, spawnApi, token } from './stagecast.ts'
import { summarise } from './statistics.ts'
import { Watchers } from './watchers.ts'

export const cost: Benchmark = {
  name: 'cost',
  title: 'One job of four milestones, watched by one client',
  async run(bench) {
    return [...(await commands(bench)), ...(await bytes(bench))]
  },
}

/** Through API, worker and stage service. */
async function commands(bench: Bench): Promise<Row[]> {
  const prefix = bench.prefix()
  // Before anything else speaks to Redis: ioredis stumbles over a line that comes with the answer to MONITOR.
  const monitor = await bench.redis.monitor()
  const api = await spawnApi(bench, prefix)
  const service = await bench.spawn('instant-service')
  await bench.spawn('stagecast-worker', { env: production(bench, prefix, { WORKER_URL: service.url }) })
  const bearer = token('user-1')
  let sent = 0
  let inScripts = 0
  monitor.on('monitor', (_time: string, _args: string[], source: string) => {
    if (source === 'lua') inScripts += 1
    else sent += 1
  })
  const rounds: { sent: number; inScripts: number; wire: number }[] = []
  const jobs = bench.size(50, 3)
  for (let run = -1; run < bench.runs; run += 1) {
    sent = 0
    inScripts = 0
    let received = 0
    for (let i = 0; i < jobs; i += 1) {
      const watchers = new Watchers(api.port)
      const { urls } = await executeJob(api.url, bearer)
      await watchers.open(
        1,
        () => urls.events,
        '',
        (text) => text.includes('event: completed'),
      )
      received += watchers.all[0]?.bytes ?? 0
      watchers.close()
    }
    if (run >= 0) rounds.push({ sent: sent / jobs, inScripts: inScripts / jobs, wire: received / jobs })
  }
  monitor.disconnect()
  return [
    row(
      'commands sent to Redis, by API and worker',
      '',
      rounds.map((one) => one.sent),
    ),
    row(
      'commands inside their scripts',
      '',
      rounds.map((one) => one.inScripts),
    ),
    row(
      'bytes to the client, head and all events',
      'B',
      rounds.map((one) => one.wire),
    ),
  ]
}

async function bytes(bench: Bench): Promise<Row[]> {
  const running: number[] = []
  const after: number[] = []
  for (let run = 0; run < bench.runs; run += 1) {
    const prefix = bench.prefix()
    const api = await spawnApi(bench, prefix)
    const jobs = await startJobs(bench, api.url, prefix, 1)
    const job = jobs.all[0]
    if (!job) throw new Error('there is no job')
    await job.writer.step({ type: 'progress', progress: 20, message: 'calling the stage service' })
    running.push(await bytesOf(bench.redis, jobs.keys, job.job_id))
    await job.writer.settle(
      [
        { type: 'progress', progress: 80, message: 'the stage service answered' },
        { type: 'progress', progress: 100, message: 'the result is stored' },
        { type: 'completed', progress: 100, message: 'stage 2 is complete' },
      ],
      { success: true, artifacts: [], duration_ms: 1 },
    )
    after.push(await bytesOf(bench.redis, jobs.keys, job.job_id))
    jobs.close()
    await api.stop()
  }
  return [
    row('bytes in Redis while it runs', 'B', running),
    row('bytes in Redis once it is done, the queue keeping it', 'B', after),
  ]
}

async function bytesOf(redis: Redis, keys: JournalKeys, id: string): Promise<number> {
  const names = [keys.job(id), keys.lock(id), keys.log(id), keys.end(id), keys.brief(id)]
  const sizes = await Promise.all(names.map((name) => redis.memory('USAGE', name)))
  return sizes.reduce<number>((sum, one) => sum + (one ?? 0), 0)
}

function row(what: string, unit: string, values: number[]): Row {
  return { what, unit, subject: OURS, figure: summarise(values) }
}
