/** When a job that may not start now is asked for again. */
import t from 'tap'
import { Gate, type GateOptions } from '../../workers/gate.ts'

function gate(overrides: Partial<GateOptions>): Gate {
  return new Gate({
    ...{ places: 1, breakerFailures: 5, breakerResetMs: 1000, callBack: async () => true, onCircuit() {} },
    ...overrides,
  })
}

t.test('a job of an unknown stage that comes back is offered to the other workers', (t) => {
  const unknown = gate({ places: 0 })
  t.equal(unknown.enter('a'), null)
  t.ok(unknown.delayMs('a') > 0, 'it is delayed at first: there may be no other worker')
  unknown.remember('a')
  t.equal(unknown.delayMs('a'), 0, 'it comes back to this worker: another one should have it')
  unknown.remember('a')
  t.ok(unknown.delayMs('a') > 0, 'offers are rare: they cost a slot some time')
  t.end()
})

t.test('a job beyond the limit of its stage is delayed, twice as long each time, up to 10 s', (t) => {
  const full = gate({})
  t.ok(full.enter('first'))
  const delays = Array.from({ length: 7 }, () => {
    const ms = full.delayMs('a')
    full.remember('a')
    return Math.round(ms / 100) * 100
  })
  t.same(delays, [500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  t.end()
})
