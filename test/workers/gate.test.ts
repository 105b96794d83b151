/** When a job that may not start now is asked for again. */
import t from 'tap'
import { Gate, type GateOptions } from '../../workers/gate.ts'
import type { Line } from '../../workers/line.ts'
import { eventually } from '../helpers/waiting.ts'

function gate(overrides: Partial<GateOptions>): Gate {
  return new Gate({
    ...{ places: 1, breakerFailures: 5, breakerResetMs: 1000, line: lineOf(), callBack: async () => true },
    onCircuit() {},
    ...overrides,
  })
}

/** Starts a job, once the gate knows that the line is empty. */
function opened(gate: Gate) {
  return eventually('a job starts', () => gate.enter('first', 0))
}

/** As the one in Redis, for one process. */
function lineOf(): Line {
  const jobs: { jobId: string; priority: number }[] = []
  return {
    async add(jobId, priority) {
      jobs.push({ jobId, priority })
      jobs.sort((a, b) => a.priority - b.priority)
    },
    takeFirst: async () => jobs.shift()?.jobId ?? null,
  }
}

t.test('a job of an unknown stage that comes back is offered to the other workers', async (t) => {
  const line = lineOf()
  const unknown = gate({ places: 0, line })
  t.equal(await unknown.enter('a', 0), null)
  t.ok(unknown.delayMs(0) > 0, 'it is delayed at first: there may be no other worker')
  await unknown.join('a', 1)
  t.equal(await line.takeFirst(), null, 'it waits for no place here')
  t.equal(unknown.delayMs(1), 0, 'it comes back to this worker: another one should have it')
  t.ok(unknown.delayMs(2) > 0, 'offers are rare: they cost a slot some time')
})

t.test('a job beyond the limit of its stage is delayed, twice as long each time, up to 10 s', async (t) => {
  const full = gate({})
  t.ok(await opened(full))
  const delays = [0, 1, 2, 3, 4, 5, 2000].map((times) => full.delayMs(times))
  t.same(delays, [500, 1000, 2000, 4000, 8000, 10_000, 10_000])
})

t.test('a job that comes back by itself does not start before the first of the line', async (t) => {
  const called: string[] = []
  const line = lineOf()
  const free = gate({ line, callBack: async (jobId) => called.push(jobId) > 0, places: 2 })
  t.ok(await free.enter('alone', 3), 'the line is empty')
  // By another worker.
  await line.add('first', 5)
  t.equal(await free.enter('behind', 3), null)
  t.same(called, ['first'])
  t.ok(await free.enter('first', 4))
  free.stop()
})

t.test('jobs that are delayed together do not come back together', async (t) => {
  const full = gate({})
  t.ok(await opened(full))
  await full.join('a', 1)
  await full.join('b', 1)
  t.equal(full.delayMs(0), 520)
})

t.test('the first of the line is called back, and finds its place kept', async (t) => {
  const called: string[] = []
  const full = gate({
    callBack: async (jobId) => {
      called.push(jobId)
      return jobId !== 'gone'
    },
  })
  const first = await opened(full)
  await full.join('b', 7)
  await full.join('c', 8)
  await full.join('late', 3)
  await full.join('gone', 1)
  first?.end('well')
  t.equal(await full.enter('not called', 0), null, 'the place is kept')
  await eventually('one was found that is still delayed', () => called.length === 2)
  t.same(called, ['gone', 'late'])
  t.equal(await full.enter('not called', 0), null)
  const second = await full.enter('late', 1)
  t.ok(second)
  second?.end('well')
  await eventually('the next one is called', () => called.length === 3)
  t.same(called.slice(2), ['b'])
  full.stop()
})

t.test('a place is not kept for long: another process may have taken the job', async (t) => {
  let callBacks = 0
  const full = gate({ callBack: async () => ++callBacks > 0 })
  const first = await opened(full)
  await full.join('slow', 1)
  await full.join('next', 2)
  first?.end('well')
  await eventually('the next one is called', () => callBacks === 2)
  t.ok(await full.enter('slow', 1), 'a job that was called may start, even if it comes late')
  t.equal(await full.enter('next', 1), null)
  full.stop()
})

t.test('a job that joins while the empty line is asked is called back', async (t) => {
  const line = lineOf()
  const called: string[] = []
  let isLate = false
  const full: Gate = gate({
    line: {
      ...line,
      async takeFirst() {
        const jobId = await line.takeFirst()
        if (jobId === null && isLate) {
          isLate = false
          await full.join('late', 1)
        }
        return jobId
      },
    },
    callBack: async (jobId) => called.push(jobId) > 0,
  })
  const first = await opened(full)
  await full.join('a', 1)
  first?.end('well')
  await eventually('a is called', () => called.length === 1)
  isLate = true
  ;(await full.enter('a', 1))?.end('well')
  await eventually('the late one is called', () => called.length === 2)
  t.same(called, ['a', 'late'])
  full.stop()
})
