/** Cached answers: found, damaged, expired. */
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createCache } from '../cache.ts'
import { sample } from '../sources/sample.ts'
import { fakeClock } from './fake-clock.ts'
import { record } from './records.ts'

const plan = { request: { query: 'x', format: 'json' }, limit: 10 }
const answer = { total: 3, records: [record()] }

t.test('a cached answer is found by its request', async (t) => {
  const clock = fakeClock()
  const dir = t.testdir()
  const cache = createCache(dir, 1000, clock)
  t.equal(await cache.find(sample, plan), undefined)
  const kept = await cache.keep(sample, plan, answer)
  t.match(kept, { ...answer, searched_at: clock.now() })
  const other = createCache(dir, 1000, clock)
  t.match(
    await other.find(sample, { ...plan, request: { format: 'json', query: 'x' } }),
    kept,
    'also by another process',
  )
  t.equal(await cache.find(sample, { ...plan, limit: 11 }), undefined)
  t.equal(await cache.find(sample, { ...plan, request: { query: 'y', format: 'json' } }), undefined)
  clock.advance(1000)
  t.equal(await cache.find(sample, plan), undefined, 'too old')
})

t.test('damaged entries count as missing', async (t) => {
  const clock = fakeClock()
  const dir = t.testdir()
  const cache = createCache(dir, 1000, clock)
  await cache.keep(sample, plan, answer)
  const [name = ''] = await readdir(dir)
  for (const damage of ['', '{"version":1', '{"version":0,"searched_at":1,"total":1,"records":[]}', '[]']) {
    await writeFile(join(dir, name), damage)
    t.equal(await cache.find(sample, plan), undefined, damage)
  }
})

t.test('old entries are removed, also while the service runs; an age of 0 keeps nothing', async (t) => {
  const clock = fakeClock(Date.now())
  const dir = t.testdir()
  const cache = createCache(dir, 60_000, clock)
  await cache.keep(sample, plan, answer)
  t.equal(await cache.sweep(), 0)
  const [name = ''] = await readdir(dir)
  await utimes(join(dir, name), 1, 1)
  clock.advance(61_000)
  await cache.keep(sample, { ...plan, limit: 1 }, answer)
  t.equal((await readdir(dir)).length, 1, 'keeping a new one took the old one away')
  const empty = t.testdir({ none: {} })
  await createCache(join(empty, 'none'), 0, clock).keep(sample, plan, answer)
  t.strictSame(await readdir(join(empty, 'none')), [])
})
