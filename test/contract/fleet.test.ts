/** Who works, and why jobs wait. */
import t from 'tap'
import { type WorkerState, waitingBecause } from '../../contract/fleet.ts'
import { DEAD_AFTER_MS, readWorkers } from '../../journal/workers.ts'

const worker = (fields: Partial<WorkerState> = {}): WorkerState => ({
  id: 'a',
  concurrency: 2,
  running: 0,
  circuit: 'closed',
  seen_at: 0,
  ...fields,
})

t.test('why jobs wait', async (t) => {
  const [idle, open] = [worker(), worker({ circuit: 'open' })]
  t.equal(waitingBecause({ waiting: 0, active: 0 }, []), null, 'none waits')
  t.equal(waitingBecause({ waiting: 1, active: 0 }, []), 'no-worker')
  t.equal(waitingBecause({ waiting: 1, active: 0 }, [open, open]), 'circuit-open')
  t.equal(waitingBecause({ waiting: 1, active: 1 }, [open, idle]), null, 'one is about to be taken')
  t.equal(waitingBecause({ waiting: 1, active: 2 }, [open, idle]), 'busy', 'an open circuit has no places')
  t.equal(waitingBecause({ waiting: 1, active: 3 }, [idle, idle]), null)
  t.equal(waitingBecause({ waiting: 1, active: 4 }, [idle, idle]), 'busy')
})

t.test('the silent are dead', async (t) => {
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
