/** Data of the last release: its finished jobs can be read, and its waiting and lost jobs run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import t from 'tap'
import type { JobSnapshot } from '../../contract/job.ts'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { testRedis } from '../helpers/jobs.ts'
import { ROOT } from '../helpers/processes.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'

/** Data of release 0.1.0: a finished job, a job that was running when its worker was killed, and a waiting job. */
interface Release {
  prefix: string
  user: string
  jobs: Record<'done' | 'running' | 'waiting', string>
  keys: { key: string; type: string; value: never }[]
}

const release: Release = JSON.parse(readFileSync(join(ROOT, 'test/faults/release-0.1.0.json'), 'utf8'))
const headers = { authorization: `Bearer ${token(release.user)}` }

t.test('jobs of release 0.1.0', async (t) => {
  const service = await fakeStageService(t, succeed())
  // The data is old, so results must be kept for a long time.
  const env = await testEnv(t, { WORKER_URL: service.url, RESULT_TTL_SECONDS: '1000000000' })
  await load(await testRedis(t, env.REDIS_URL), env.REDIS_PREFIX as string)
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const at = (name: keyof Release['jobs'], route: string) =>
    `${url}/api/workflow/stages/${name === 'waiting' ? 3 : 2}/jobs/${release.jobs[name]}/${route}`
  const ended = async (name: keyof Release['jobs']): Promise<JobSnapshot> => {
    for (let after = ''; ; ) {
      const answer = await fetch(at(name, `status?after=${after}&wait=20`), { headers })
      const state = (await answer.json()) as JobSnapshot
      if (!state.status) throw new Error(JSON.stringify(state))
      if (state.finished_at !== null) return state
      after = state.cursor
    }
  }
  t.match(await ended('done'), { status: 'completed', result: { results: { made_by: '0.1.0' } } })
  t.match(await ended('waiting'), { status: 'completed', attempt: 1 })
  t.match(await ended('running'), { status: 'completed', attempt: 2 })
  t.same(
    new Set(service.calls.map(({ body }) => body.job_id)),
    new Set([release.jobs.waiting, release.jobs.running]),
  )

  for (const name of ['done', 'waiting', 'running'] as const) {
    const frames = await (await openStream(at(name, 'events'), { headers })).rest()
    const ids = frames.flatMap(({ id }) => id ?? [])
    t.equal(frames.find(({ event }) => event)?.event, 'queued', `${name}: starts with its first event`)
    t.equal(frames.at(-1)?.event, 'completed')
    t.same(ids, [...new Set(ids)].sort(), 'in order and without repeats')
  }
})

/** Writes the release's data to Redis under another prefix. */
async function load(redis: Redis, prefix: string): Promise<void> {
  for (const { key, type, value } of release.keys) {
    const name = key.replace(release.prefix, prefix)
    if (type === 'string') await redis.set(name, value)
    else if (type === 'hash') await redis.hset(name, value)
    else if (type === 'list') await redis.rpush(name, ...(value as string[]))
    else if (type === 'set') await redis.sadd(name, ...(value as string[]))
    else if (type === 'zset')
      for (let i = 0; i < (value as string[]).length; i += 2)
        await redis.zadd(name, value[i + 1] as never, value[i] as never)
    else for (const [id, fields] of value as [string, string[]][]) await redis.xadd(name, id, ...fields)
  }
}
