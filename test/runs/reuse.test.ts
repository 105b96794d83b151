/** The table of reuse, run in memory, and cases that do not fit into the table. */
import t from 'tap'
import { type RunRequest, requestFaults } from '../../runs/request.ts'
import { ALL, CASES, play, STAGES } from './reuse-cases.ts'
import { catalogueOf, Workshop } from './workshop.ts'

const CATALOGUE = catalogueOf(...STAGES)

t.ok(CASES.length >= 30)
for (const one of CASES) t.test(one.name, (t) => play(t, new Workshop(CATALOGUE), one))

t.test('the first run says that nothing has run', async (t) => {
  const shop = new Workshop(CATALOGUE)
  t.same(
    shop.plan(ALL).map(({ stage, action, because, sign_off }) => [stage, action, because, sign_off]),
    [
      [1, 'run', 'never run', false],
      [2, 'run', 'never run', false],
      [3, 'run', 'never run', true],
      [4, 'run', 'never run', false],
      [5, 'run', 'never run', false],
    ],
  )
  shop.post(ALL)
  t.same(shop.step(1).because, 'never run')
})

t.test('needs that are not met', async (t) => {
  const shop = new Workshop(CATALOGUE)
  t.same(shop.post({ stages: [3, 2] }), [{ stage: 3, needs: 1 }])
  shop.post({ stages: [1, 2, 3] })
  t.same(shop.post({ stages: [4] }), [{ stage: 4, needs: 3 }], 'an undecided gate does not count')
  shop.sign(3, 'rejected')
  t.same(shop.post({ stages: [4] }), [{ stage: 4, needs: 3 }], 'nor does a rejected one')
  shop.post({ stages: [3] })
  t.same(shop.ran, [1, 2, 3, 3], 'a rejected step runs again')
  shop.sign(3, 'approved')
  t.equal(shop.post({ stages: [4] }), null)
  t.equal(shop.run?.status, 'completed')
})

t.test('a preview does not count as a result', async (t) => {
  const shop = new Workshop(CATALOGUE)
  shop.post({ stages: [1, 2], inputs: { 2: { preview: true } } })
  t.same(shop.post({ stages: [3] }), [{ stage: 3, needs: 2 }])
  shop.post({ stages: [5] })
  t.same(shop.step(5).upstream, [], 'the preview is not used')
})

t.test('a stage uses an optional result only if it exists', async (t) => {
  const shop = new Workshop(CATALOGUE)
  shop.post({ stages: [5] })
  shop.post({ stages: [2] })
  t.same(
    shop.plan({ stages: [5] }).map(({ because }) => because),
    ['stage 2 is new'],
  )
})

t.test('a rejected gate skips the steps after it', async (t) => {
  const shop = new Workshop(CATALOGUE)
  shop.post(ALL)
  t.equal(shop.sign(3, 'approved', 'f'.repeat(64)), 'content-changed')
  t.equal(shop.sign(4, 'approved'), 'not-waiting')
  t.equal(shop.sign(3, 'rejected'), 'decided')
  t.equal(shop.sign(3, 'rejected'), 'same')
  t.equal(shop.sign(3, 'approved'), 'decided-otherwise')
  t.same(shop.statuses(), { 1: 'completed', 2: 'completed', 3: 'rejected', 4: 'skipped', 5: 'completed' })
  t.equal(shop.run?.status, 'rejected')
  t.same(
    shop.events.slice(-3).map(({ event, data }) => [event, 'status' in data ? data.status : data.verdict]),
    [
      ['sign_off', 'rejected'],
      ['run', 'waiting'],
      ['run', 'rejected'],
    ],
  )
})

t.test('a cancelled run', async (t) => {
  const shop = new Workshop(CATALOGUE)
  shop.post(ALL)
  t.ok(shop.cancel())
  t.same(shop.statuses()[3], 'cancelled')
  t.same(shop.statuses()[4], 'skipped')
  t.equal(shop.run?.status, 'cancelled')
  t.notOk(shop.cancel())
  t.equal(shop.sign(3, 'approved'), 'not-waiting')
  shop.post(ALL)
  t.equal(shop.run?.status, 'waiting', 'the gate waits in the next run')
})

t.test('faults of a request that do not depend on the workflow', async (t) => {
  const inputs = { type: 'object', properties: { a: { type: 'array', items: { type: 'integer' } } } }
  const catalogue = catalogueOf({ stage: 1, needs_question: true }, { stage: 2, inputs })
  const faults = (request: RunRequest) => requestFaults(request, catalogue).map(({ path }) => path)
  t.same(faults({ stages: [2], inputs: { 2: { a: [1] } } }), [])
  t.same(faults({ stages: [2], inputs: { 2: { a: [1, 'x'] } } }), ['/inputs/2/a/1'])
  t.same(faults({ stages: [1] }), ['/research_question'])
  t.same(faults({ stages: [2, 9, 2] }), ['/stages/1', '/stages/2'])
  t.same(faults({ stages: [2], rerun: [2, 1], inputs: { 1: {} } }), ['/inputs/1', '/rerun/1'])
})
