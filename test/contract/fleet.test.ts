/** The live workers, and why jobs wait. */
import t from 'tap'
import { isCutOff, serving, type WorkerState, waitingBecause } from '../../contract/fleet.ts'
import { DEAD_AFTER_MS, readWorkers } from '../../journal/workers.ts'

const worker = (fields: Partial<WorkerState> = {}): WorkerState => ({
  id: 'a',
  concurrency: 2,
  running: 0,
  circuit: 'closed',
  circuits: [],
  catalogue: null,
  seen_at: 0,
  ...fields,
})

t.test('why jobs wait', async (t) => {
  const idle = worker()
  const open = worker({ circuit: 'open', circuits: [{ stage: 2, state: 'open' }] })
  const because = (waiting: number, delayed: number, active: number, ...workers: WorkerState[]) =>
    waitingBecause({ waiting, delayed, active, paused: false }, workers)
  t.equal(because(0, 0, 0), null, 'none waits')
  t.equal(because(1, 0, 0), 'no-worker')
  t.equal(because(0, 1, 0), null, 'a delayed job waits for its time')
  t.equal(because(0, 1, 0, open, open), 'circuit-open')
  t.equal(because(0, 1, 0, open, idle), null, 'the other worker calls the service')
  t.equal(because(1, 0, 3, idle, open), null, 'a job is about to start')
  t.equal(because(1, 0, 4, idle, open), 'busy')
  const paused = { waiting: 0, delayed: 0, active: 0, paused: true }
  t.equal(waitingBecause(paused, [idle]), null, 'paused, but none waits')
  t.equal(waitingBecause({ ...paused, waiting: 1 }, []), 'paused', 'a worker would not help')
  t.equal(waitingBecause({ ...paused, delayed: 1 }, [open]), 'paused')
})

t.test('the workers that serve a stage', async (t) => {
  const earlier = worker({ id: 'earlier' })
  const open = worker({
    id: 'open',
    stages: [2, 3],
    circuit: 'open',
    circuits: [{ stage: 2, state: 'open' }],
  })
  const other = worker({ id: 'other', stages: [3] })
  const ids = (stage: number) => serving(stage, [earlier, open, other]).map(({ id }) => id)
  t.same(ids(2), ['earlier', 'open'], 'an earlier release does not say which')
  t.same(ids(3), ['earlier', 'open', 'other'])
  t.equal(isCutOff(2, serving(2, [open, other])), true, 'the other one would not call its service either')
  t.equal(isCutOff(2, serving(2, [other])), false, 'no worker can be cut off')
})

t.test('silent workers count as dead', async (t) => {
  // A worker of an earlier release reports this.
  const state = JSON.stringify({ concurrency: 2, running: 1, circuit: 'closed' })
  const now = 1_800_000_000_000
  const hash = {
    b: `${now} ${state}`,
    a: `${now - DEAD_AFTER_MS} ${state}`,
    c: `${now - DEAD_AFTER_MS - 1} ${state}`,
  }
  t.same(readWorkers(hash, now), [
    worker({ id: 'a', running: 1, seen_at: now - DEAD_AFTER_MS }),
    worker({ id: 'b', running: 1, seen_at: now }),
  ])
})
