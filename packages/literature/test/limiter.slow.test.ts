/** Limits hold across jobs and processes that share a folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { intervalOf, retryAfterMs } from '../sources/headers.ts'
import { createLimiter } from '../sources/limiter.ts'
import { fakeClock } from './fake-clock.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const { signal } = new AbortController()
const FAR = START + 86_400_000
const slots = async (dir: string) => (await readdir(dir)).filter((name) => /^\d+$/.test(name)).sort()

t.test('requests start one interval apart', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START + 1)
  const limiter = createLimiter(dir, { intervalMs: 200, lanes: 9 }, clock)
  const begun: number[] = []
  for (let n = 0; n < 5; n++) {
    const release = await limiter.enter(FAR, signal)
    begun.push(clock.now() - START)
    await release()
  }
  t.strictSame(begun, [200, 400, 600, 800, 1000])
})

t.test('the limit holds across independent processes', async (t) => {
  const dir = t.testdir()
  const file = fileURLToPath(new URL('limiter-process.js', import.meta.url))
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, [file, dir, '20'], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const said = await Promise.all(
    children.map(async (child) => {
      const [out] = await Promise.all([text(child.stdout), once(child, 'exit')])
      return JSON.parse(out) as number[]
    }),
  )
  // The clocks of all processes are frozen at the same time, so that all want the same slots.
  const all = said.flat().sort((a, b) => a - b)
  t.equal(new Set(all).size, 60, 'no slot was taken twice')
  t.strictSame(
    all,
    Array.from({ length: 60 }, (_, at) => START + 200 * at),
    'and none was left out',
  )
  t.strictSame((await slots(dir)).map(Number), all)
})

t.test('lanes limit concurrent requests', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START)
  const limiters = [1, 2].map(() => createLimiter(dir, { intervalMs: 1, lanes: 2 }, clock))
  const enter = (at: number, deadline = FAR) =>
    (limiters[at % 2] as (typeof limiters)[number]).enter(deadline, signal)
  const first = await enter(0)
  const second = await enter(1)
  await t.rejects(enter(0, clock.now() + 200), { code: 'timeout' }, 'a third waits, here in vain')
  await first()
  const third = await enter(1)
  await second()
  await third()
  t.strictSame(
    (await readdir(dir)).filter((name) => name.startsWith('lane')),
    [],
  )
})

t.test('a lane left behind by a crash becomes free', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START)
  const crashed = createLimiter(dir, { intervalMs: 1, lanes: 1 }, clock)
  const never = await crashed.enter(FAR, signal)
  clock.advance(121_000)
  const release = await createLimiter(dir, { intervalMs: 1, lanes: 1 }, clock).enter(FAR, signal)
  await never()
  t.strictSame(
    (await readdir(dir)).filter((name) => name.startsWith('lane')),
    ['lane-0'],
    'who lost it cannot give it away',
  )
  await release()
})

t.test('a waiting caller keeps its lane, however long it waits', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START)
  const [one, other] = [1, 2].map(() => createLimiter(dir, { intervalMs: 1, lanes: 1 }, clock))
  if (!one || !other) return
  await one.pause(START + 600_000)
  const release = await one.enter(FAR, signal)
  t.ok(clock.now() >= START + 600_000)
  await t.rejects(other.enter(clock.now() + 200, signal), { code: 'timeout' }, 'the lane is held')
  await release()
  await (await other.enter(FAR, signal))()
})

t.test('a lane that another process takes meanwhile is not mistaken for an abandoned one', async (t) => {
  const stale = `${START - 1} left behind`
  const live = `${START + 60_000} live`
  // At the nth reading of the clock, another process takes the lane first.
  for (let n = 1, faster = true; faster; n++) {
    const dir = t.testdir()
    const lane = join(dir, 'lane-0')
    await writeFile(lane, stale)
    const clock = fakeClock(START)
    let looks = 0
    faster = false
    const now = () => {
      looks++
      if (looks === n && existsSync(lane) && readFileSync(lane, 'utf8') === stale) {
        writeFileSync(lane, live)
        faster = true
      }
      return clock.now()
    }
    const limiter = createLimiter(dir, { intervalMs: 1, lanes: 1 }, { ...clock, now })
    const entered = await limiter.enter(START + 100, signal).catch(({ code }) => code)
    if (!faster) {
      t.ok(n > 4, 'it was looked at from all sides')
      t.type(entered, 'function', 'the one left behind is free')
      continue
    }
    t.equal(entered, 'timeout', `look ${n}`)
    t.equal(await readFile(lane, 'utf8'), live, `look ${n}`)
    t.strictSame(await readdir(dir), ['lane-0'])
  }
})

t.test('a pause applies to all processes', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START)
  const [one, other] = [1, 2].map(() => createLimiter(dir, { intervalMs: 1, lanes: 9 }, clock))
  if (!one || !other) return
  await one.pause(START + 5000)
  await one.pause(START + 2000)
  await (await other.enter(FAR, signal))()
  t.ok(clock.now() >= START + 5000, 'the longer one counts')
  await one.pause(clock.now() + 60_000)
  await t.rejects(other.enter(clock.now() + 1000, signal), { code: 'rate_limited' })
})

t.test('stricter limits of a source are obeyed', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START)
  const limiter = createLimiter(dir, { intervalMs: 100, lanes: 3 }, clock)
  const gap = async () => {
    await (await limiter.enter(FAR, signal))()
    const before = clock.now()
    await (await createLimiter(dir, { intervalMs: 100, lanes: 3 }, clock).enter(FAR, signal))()
    return clock.now() - before
  }
  await limiter.demand(
    intervalOf({ 'x-rate-limit-limit': '50', 'x-rate-limit-interval': '1s', 'x-concurrency-limit': '9' }),
  )
  t.equal(await gap(), 100)
  await limiter.demand(intervalOf({ 'x-rate-limit-limit': '2', 'x-rate-limit-interval': '1s' }))
  t.equal(await gap(), 500)
  clock.advance(3_600_001)
  t.equal(await gap(), 100, 'an hour later it would have to say so again')
  await limiter.demand({ lanes: 1 })
  await limiter.enter(FAR, signal)
  await t.rejects(limiter.enter(clock.now() + 100, signal), { code: 'timeout' })
})

t.test('an aborted wait ends at once and releases its lane', async (t) => {
  const dir = t.testdir()
  const clock = fakeClock(START)
  const limiter = createLimiter(dir, { intervalMs: 1000, lanes: 2 }, clock)
  const reason = new Error('enough')
  await t.rejects(limiter.enter(FAR, AbortSignal.abort(reason)), reason)
  t.strictSame(
    (await readdir(dir)).filter((name) => name.startsWith('lane')),
    [],
  )
})

t.test('old slots are removed', async (t) => {
  const dir = t.testdir()
  await writeFile(join(dir, String(START - 100_000)), '')
  await writeFile(join(dir, String(START - 1000)), '')
  const limiter = createLimiter(dir, { intervalMs: 1000, lanes: 2 }, fakeClock(START))
  await (await limiter.enter(FAR, signal))()
  t.strictSame((await slots(dir)).map(Number), [START - 1000, START])
})

t.test('headers', async (t) => {
  t.equal(retryAfterMs('5', START), 5000)
  t.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', START), 30_000)
  t.equal(retryAfterMs('Thu, 01 Jan 1998 00:00:30 GMT', START), 0, 'a time gone by')
  for (const value of [undefined, '', 'soon', '-1'])
    t.equal(retryAfterMs(value, START), undefined, `${value}`)
  t.equal(retryAfterMs('999999999', START), 86_400_000)
  t.strictSame(intervalOf({ 'x-rate-limit-limit': 'many', 'x-concurrency-limit': '0' }), {})
})
