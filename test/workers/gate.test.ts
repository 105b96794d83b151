/** When a job that may not start now is asked for again. */
import t from 'tap'
import { Gate, type GateOptions, MOST_REMEMBERED } from '../../workers/gate.ts'
import { eventually } from '../helpers/waiting.ts'

function gate(overrides: Partial<GateOptions>): Gate {
  return new Gate({
    ...{ places: 1, breakerFailures: 5, breakerResetMs: 1000, callBack: async () => true },
    onFront() {},
    onCircuit() {},
    ...overrides,
  })
}

t.test('a job of an unknown stage that comes back is offered to the other workers', (t) => {
  const unknown = gate({ places: 0 })
  t.equal(unknown.enter('a'), null)
  t.ok(unknown.delayMs('a') > 0, 'it is delayed at first: there may be no other worker')
  unknown.remember('a', 1)
  t.equal(unknown.delayMs('a'), 0, 'it comes back to this worker: another one should have it')
  unknown.remember('a', 1)
  t.ok(unknown.delayMs('a') > 0, 'offers are rare: they cost a slot some time')
  t.end()
})

t.test('a job beyond the limit of its stage is delayed, twice as long each time, up to 10 s', (t) => {
  const full = gate({})
  t.ok(full.enter('first'))
  const delays = Array.from({ length: 7 }, () => {
    const ms = full.delayMs('a')
    full.remember('a', 1)
    return Math.round(ms / 100) * 100
  })
  t.same(delays, [500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  t.end()
})

t.test(
  'the delayed job with the lowest priority is called back first, and finds its place kept',
  async (t) => {
    const called: string[] = []
    const full = gate({
      callBack: async (jobId) => {
        called.push(jobId)
        return jobId !== 'gone'
      },
    })
    const first = full.enter('first')
    full.remember('b', 7)
    full.remember('c', 7)
    full.remember('late', 3)
    full.remember('gone', 1)
    first?.end('well')
    t.equal(full.enter('not called'), null, 'the place is kept')
    await new Promise(setImmediate)
    t.same(called, ['gone', 'late'], 'until one is found that is still delayed')
    t.equal(full.enter('not called'), null)
    const second = full.enter('late')
    t.ok(second)
    second?.end('well')
    await new Promise(setImmediate)
    t.same(called.slice(2), ['b'], 'of equal ones the first to arrive')
    full.stop()
  },
)

t.test('a place is not kept for long: another process may have taken the job', async (t) => {
  let callBacks = 0
  const full = gate({ callBack: async () => ++callBacks > 0 })
  const first = full.enter('first')
  full.remember('taken', 1)
  full.remember('next', 2)
  first?.end('well')
  await eventually('the next one is called', () => callBacks === 2)
  t.ok(full.enter('taken'), 'a job that was called starts before the next one, even if it comes late')
  t.equal(full.enter('next'), null)
  full.stop()
})

t.test('when too many are delayed, those that come first in the queue are remembered', async (t) => {
  const called: string[] = []
  const full = gate({ callBack: async (jobId) => called.push(jobId) > 0 })
  const first = full.enter('first')
  for (let n = 0; n < MOST_REMEMBERED; n += 1) full.remember(`job-${n}`, n + 10)
  full.remember('late', 1)
  full.remember('last', MOST_REMEMBERED + 20)
  first?.end('well')
  t.same(called, ['late'])
  t.equal(full.delayMs(`job-${MOST_REMEMBERED - 1}`), full.delayMs('unknown'), 'the last ones were dropped')
  full.stop()
})

t.test('the first of the delayed jobs is reported', async (t) => {
  const fronts: (string | undefined)[] = []
  const called: string[] = []
  const full = gate({
    onFront: (front) => fronts.push(front?.jobId),
    callBack: async (jobId) => called.push(jobId) > 0,
  })
  const first = full.enter('first')
  full.remember('b', 7)
  full.remember('c', 8)
  t.same(fronts.splice(0), ['b'])
  full.remember('b', 7)
  t.same(fronts.splice(0), ['b'], 'again, once it was delayed again')
  full.remember('a', 3)
  t.same(fronts.splice(0), ['a'])
  first?.end('well')
  await eventually('it is called', () => called.length === 1)
  t.same(fronts.splice(0), ['b'])
  full.enter('a')?.end('well')
  await eventually('the next one is called', () => called.length === 2)
  full.enter('b')?.end('well')
  await eventually('the last one is called', () => called.length === 3)
  t.same(fronts, ['c', undefined])
  full.stop()
})
