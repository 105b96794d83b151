/** Backup and restore as docs/deployment.md describes them: an empty Redis loads a snapshot of a live one. */
import { randomUUID } from 'node:crypto'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startRedis } from '../../dev/redis.ts'
import { enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { assertWhole, finished, status, watch } from '../helpers/jobs.ts'
import { adminOf } from '../helpers/outage.ts'
import { privateRedis } from '../helpers/redis.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

t.test('finished jobs can be read, and the others continue', async (t) => {
  const service = await fakeStageService(t, succeed({ results: { n: 1 } }))
  const redis = await privateRedis(t)
  const env = await testEnv(t, {
    REDIS_URL: redis.url,
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '1',
    WORKER_LOCK_MS: '2000',
  })
  const before = await startApi(t, env)
  const worker = startWorker(t, env)
  const keyed = { headers: { 'idempotency-key': 'mine' }, body: { workflow_id: randomUUID() } }
  const done = await enqueue(before.url, keyed)
  const events = await (await watch(before.url, done)).rest()
  service.answer = silence
  const running = await enqueue(before.url)
  await service.call(1)
  const waiting = [await enqueue(before.url, { stage: 3 }), await enqueue(before.url)]

  const admin = adminOf(t, redis)
  const info = async (of: typeof admin, field: string) =>
    new RegExp(`${field}:(\\S+)`).exec(await of.info('persistence'))?.[1]
  await admin.bgsave()
  await eventually('it is saved', async () => (await info(admin, 'rdb_bgsave_in_progress')) === '0')
  t.equal(await info(admin, 'rdb_last_bgsave_status'), 'ok')
  const dir = join(t.testdir(), 'restored')
  await mkdir(dir)
  await copyFile(join(redis.dir, 'dump.rdb'), join(dir, 'dump.rdb'))
  // Everything after the backup is lost with the old Redis.
  const lost = await enqueue(before.url)
  await before.app.close()
  await worker.close(100)
  await redis.stop()

  // With `appendonly yes` but no append-only file, Redis would start empty.
  const loading = await startRedis({ dir, persist: false })
  const restored = adminOf(t, loading)
  await restored.config('SET', 'appendonly', 'yes')
  await eventually('the append-only file is written', async () => {
    return (
      (await info(restored, 'aof_enabled')) === '1' &&
      (await info(restored, 'aof_rewrite_in_progress')) === '0' &&
      (await info(restored, 'aof_rewrite_scheduled')) === '0'
    )
  })
  restored.disconnect()
  await loading.stop()
  const fresh = await startRedis({ dir })
  t.teardown(() => fresh.stop())

  service.answer = succeed()
  const after = await startApi(t, { ...env, REDIS_URL: fresh.url })
  t.match(await status(after.url, done), { status: 'completed', result: { results: { n: 1 } } })
  t.same(await (await watch(after.url, done)).rest(), events, 'the ticket is still valid')
  t.equal((await enqueue(after.url, keyed)).job_id, done.job_id, 'a repeat with the key returns the same job')
  startWorker(t, { ...env, REDIS_URL: fresh.url })
  const again = await finished(after.url, running)
  t.match(again, { status: 'completed', attempt: 2 }, 'the running job counts as lost with its worker')
  for (const job of waiting) t.match(await finished(after.url, job), { status: 'completed', attempt: 1 })
  assertWhole(t, await (await watch(after.url, running)).rest())
  t.match(await status(after.url, lost), { code: 'JOB_NOT_FOUND' }, 'a job accepted after the backup is gone')
})
