/** The data folder: jobs appear completely or not at all, and the folder does not grow for ever. */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openStore, type Store } from '../../stage-kit/store.ts'

const DAY_MS = 24 * 60 * 60 * 1000

async function finish(store: Store, jobId: string): Promise<boolean> {
  const workspace = await store.workspace(jobId)
  await writeFile(join(workspace.artifacts, 'a.json'), '{}')
  const files = await store.inspect(workspace, ['a.json'])
  const published = await store.publish(jobId, workspace, { digest: 'd', answer: { success: true }, files })
  await store.drop(workspace)
  return published
}

async function age(path: string, ms: number): Promise<void> {
  const time = (Date.now() - ms) / 1000
  await utimes(path, time, time)
}

t.test('if two processes finish the same job, the first one counts', async (t) => {
  const dataDir = t.testdir()
  const [one, two] = [await openStore(dataDir), await openStore(dataDir)]
  const jobId = randomUUID()
  t.equal(await one.read(jobId), undefined)
  const [first, second] = await Promise.all([finish(one, jobId), finish(two, jobId)])
  t.not(first, second)
  t.match(await two.read(jobId), { digest: 'd', files: [{ name: 'a.json', bytes: 2 }] })
  t.strictSame(await readdir(join(dataDir, 'work')), [], 'nothing is left of the work')
})

t.test('a damaged record counts as missing and is removed', async (t) => {
  const dataDir = t.testdir()
  const store = await openStore(dataDir)
  for (const damage of ['', '{"digest":', '{"digest":7}']) {
    const jobId = randomUUID()
    await finish(store, jobId)
    await writeFile(join(dataDir, 'jobs', jobId, 'record.json'), damage)
    t.equal(await store.read(jobId), undefined)
    t.ok(await finish(store, jobId), 'the job can be finished again')
  }
})

t.test('old jobs and abandoned work are removed, newer ones stay', async (t) => {
  const dataDir = t.testdir()
  const store = await openStore(dataDir)
  const [old, young] = [randomUUID(), randomUUID()]
  await finish(store, old)
  await finish(store, young)
  await age(join(dataDir, 'jobs', old, 'record.json'), 8 * DAY_MS)
  const [abandoned, busy] = [join(dataDir, 'work', 'abandoned'), join(dataDir, 'work', 'busy')]
  await mkdir(abandoned)
  await mkdir(busy)
  await age(abandoned, 8 * DAY_MS)
  await age(busy, DAY_MS / 2)
  t.equal(await store.sweep(7 * DAY_MS), 2)
  t.strictSame(await readdir(join(dataDir, 'jobs')), [young])
  t.strictSame(await readdir(join(dataDir, 'work')), ['busy'])
  t.equal(await store.sweep(7 * DAY_MS), 0)
  t.equal(await store.read(old), undefined)
})
