/** The timing wheel, on a clock that the tests control. */
import { mock } from 'node:test'
import t from 'tap'
import { TimingWheel } from '../../watch/timing-wheel.ts'

t.beforeEach(() => mock.timers.enable({ apis: ['setInterval', 'Date'] }))
t.afterEach(() => mock.timers.reset())

/** Advances the clock step by step. */
function pass(ms: number, then: () => void = () => {}): void {
  for (let i = 0; i < ms; i += 1) {
    mock.timers.tick(1)
    then()
  }
}

/** A wheel whose items ask for the longest delay, and a record of its calls. */
function patient(items: number, periodMs: number, clock: () => number) {
  const calls: number[] = []
  const call = (item: number) => {
    calls.push(item)
    return Number.POSITIVE_INFINITY
  }
  const wheel = new TimingWheel<number>(periodMs, call, clock)
  for (let item = 0; item < items; item += 1) wheel.add(item, Number.POSITIVE_INFINITY)
  return { wheel, calls }
}

for (const periodMs of [50, 100, 171, 200, 1000, 15_000]) {
  t.test(`every item is called at least every ${periodMs} ms`, async (t) => {
    let now = 0
    const calls = new Map<number, number[]>()
    const wheel = new TimingWheel<number>(
      periodMs,
      (item) => {
        calls.get(item)?.push(now)
        return Number.POSITIVE_INFINITY
      },
      Date.now,
    )
    for (let item = 0; item < 100; item += 1) {
      calls.set(item, [0])
      wheel.add(item, Number.POSITIVE_INFINITY)
    }
    pass(5 * periodMs, () => {
      now += 1
    })
    wheel.stop()
    const gaps = [...calls.values()].map((times) =>
      Math.max(...times.map((at, i) => at - (times[i - 1] ?? 0)), now - (times.at(-1) ?? 0)),
    )
    t.ok(Math.max(...gaps) <= periodMs, `the longest silence is ${Math.max(...gaps)} ms`)
    const most = Math.max(...[...calls.values()].map((times) => times.length))
    t.ok(most <= 10, `and no item is called needlessly often: ${most} times in 5 periods`)
    const first = new Set([...calls.values()].map((times) => times[1]))
    t.ok(first.size > 2, 'items added together are spread')
  })
}

t.test('no turn delays later items', async (t) => {
  const items = 10_000
  const { wheel, calls } = patient(items, 15_000, Date.now)
  const turns: number[] = []
  pass(15_000, () => turns.push(calls.splice(0).length))
  wheel.stop()
  t.ok(turns.filter((length) => length > 0).length > 100)
  const most = Math.max(...turns)
  t.ok(most <= items / 100, `the longest turn calls ${most} of ${items}`)
})

t.test('the lateness of timers does not add up', async (t) => {
  // Every timer fires 40 % late.
  const clock = () => Date.now() * 1.4
  const calls: number[] = [clock()]
  const wheel = new TimingWheel<string>(
    15_000,
    () => {
      calls.push(clock())
      return Number.POSITIVE_INFINITY
    },
    clock,
  )
  wheel.add('item', Number.POSITIVE_INFINITY)
  pass(50_000)
  wheel.stop()
  t.ok(calls.length >= 5)
  const gaps = calls.slice(1).map((at, i) => at - (calls[i] as number))
  t.ok(Math.max(...gaps) <= 15_000, `the longest silence is ${Math.max(...gaps)} ms`)
})

t.test('after a long pause every item is called once', async (t) => {
  let now = 0
  const { wheel, calls } = patient(100, 1000, () => now)
  now = 3_600_000
  pass(wheel.stepMs)
  wheel.stop()
  t.equal(calls.length, 100)
})

t.test('a shorter delay is honoured within one step', async (t) => {
  let now = 0
  const calls: number[] = []
  const wheel = new TimingWheel<string>(
    15_000,
    () => {
      calls.push(now)
      return 3000
    },
    Date.now,
  )
  wheel.add('item', 2000)
  pass(9000, () => {
    now += 1
  })
  wheel.stop()
  t.ok((calls[0] ?? 0) <= 2000 + wheel.stepMs, `first at ${calls[0]}`)
  for (const [i, at] of calls.entries())
    if (i > 0) t.ok(at - (calls[i - 1] ?? 0) <= 3000 + wheel.stepMs, `then at ${at}`)
  t.ok(calls.length >= 3)

  const late = new TimingWheel<string>(100, () => -5, Date.now)
  late.add('overdue', -1)
  t.doesNotThrow(() => pass(100), 'a moment that has passed is the next step')
  late.stop()
})

t.test('a deleted item is not called, even if it is due', async (t) => {
  const called: string[] = []
  const wheel = new TimingWheel<string>(
    100,
    (item) => {
      called.push(item)
      // Both items are due in the same step, and the first one removes the other.
      for (const one of ['a', 'b']) if (one !== item) wheel.delete(one)
      return 1
    },
    Date.now,
  )
  wheel.add('a', 1)
  wheel.add('b', 1)
  wheel.add('c', 1)
  wheel.delete('c')
  wheel.delete('never added')
  pass(100)
  t.same([...new Set(called)], ['a'])
  t.ok(called.length > 2, 'and it is still called')

  called.length = 0
  wheel.delete('a')
  pass(200)
  t.same(called, [])
  wheel.add('d', 1)
  wheel.stop()
  pass(200)
  t.same(called, [], 'nor is any item once the wheel has stopped')
})
