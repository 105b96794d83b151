/** `advance` gives the same run for any order and number of inputs. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { advance } from '../../runs/advance.ts'
import { canonical, sha256 } from '../../runs/canonical.ts'
import { isFinished, isLive, type RunDocument, type Step } from '../../runs/document.ts'
import { uncheckedCatalogue, Workshop } from './workshop.ts'

const STAGES = [1, 2, 3, 4, 5, 6]

/** Edges go from lower to higher numbers, so the graph has no cycle. */
const workflow = fc.record({
  edges: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })), {
    maxLength: 9,
    selector: ([a, b]) => `${a}-${b}`,
  }),
  uses: fc.uniqueArray(fc.integer({ min: 0, max: 8 })),
  gates: fc.uniqueArray(fc.constantFrom(...STAGES), { maxLength: 3 }),
  rejected: fc.uniqueArray(fc.constantFrom(...STAGES), { maxLength: 1 }),
  fails: fc.uniqueArray(fc.constantFrom(...STAGES), { maxLength: 2 }),
  rerun: fc.uniqueArray(fc.constantFrom(...STAGES), { maxLength: 3 }),
  changed: fc.uniqueArray(fc.constantFrom(...STAGES), { maxLength: 2 }),
})
type Workflow = ReturnType<typeof workflow.generate>['value']

function shopOf({ edges, uses, gates }: Workflow): Workshop {
  const entries = STAGES.map((stage) => {
    const before = edges.filter(([from, to]) => to === stage && from < to)
    const of = (isUse: boolean) =>
      before.filter((edge) => uses.includes(edges.indexOf(edge)) === isUse).map(([from]) => from)
    return { stage, needs: of(false), uses: of(true), sign_off: gates.includes(stage) }
  })
  return new Workshop(uncheckedCatalogue(...entries))
}

/** A run of all stages has ended, and the next one has started; jobs give other results from now on. */
function secondRun(given: Workflow): Workshop {
  const shop = shopOf(given)
  shop.post({ stages: STAGES })
  for (let waiting = waitingOf(shop); waiting; waiting = waitingOf(shop)) shop.sign(waiting.stage, 'approved')
  for (const stage of given.fails) shop.fails.add(stage)
  for (const stage of given.changed) shop.gives.set(stage, 'something else')
  return shop
}

const waitingOf = (shop: Workshop) => shop.run?.steps.find(({ status }) => status === 'awaiting_sign_off')

function verdictOf({ rejected }: Workflow, { stage }: Step): 'approved' | 'rejected' {
  return rejected.includes(stage) ? 'rejected' : 'approved'
}

/** The run without times. */
function essence(run: RunDocument | null): unknown {
  return run?.steps.map(({ stage, status, because, content, round, sign_off }) => {
    const { digest, decision } = sign_off ?? {}
    return { stage, status, because, content, round, digest, verdict: decision?.verdict }
  })
}

t.test('any order of ends, repeats, late inputs and crashes gives the same run', async () => {
  fc.assert(
    fc.property(workflow, fc.infiniteStream(fc.nat()), (given, chance) => {
      const dice = chance[Symbol.iterator]()
      const roll = (sides: number) => dice.next().value % sides
      const request = { stages: STAGES, rerun: given.rerun }

      const straight = secondRun(given)
      straight.post(request)
      for (let step = waitingOf(straight); step; step = waitingOf(straight))
        straight.sign(step.stage, verdictOf(given, step))

      const shaken = secondRun(given)
      shaken.work = () => {}
      shaken.post(request)
      const ended = new Map()
      while (shaken.run && !isFinished(shaken.run)) {
        const live = shaken.run.steps.filter(isLive)
        const waiting = shaken.run.steps.filter(({ status }) => status === 'awaiting_sign_off')
        const results = [...shaken.results.values()]
        switch (roll(5)) {
          case 0:
            // The computed state is lost with its process.
            for (const step of live)
              advance(shaken.run, {
                results,
                ends: new Map([[step.job_id ?? '', shaken.endOf(step)]]),
                now: 5,
              })
            break
          case 1:
            // Old inputs, and none.
            shaken.take(ended)
            shaken.take(new Map())
            break
          case 2:
            if (waiting.length > 0) {
              const step = waiting[roll(waiting.length)] as Step
              shaken.sign(step.stage, verdictOf(given, step))
              shaken.sign(step.stage, roll(2) ? 'approved' : 'rejected')
            }
            break
          default: {
            // Several inputs at once.
            const some = live.filter(() => roll(2) === 0)
            for (const step of some) ended.set(step.job_id, shaken.endOf(step))
            shaken.take(new Map(some.map((step) => [step.job_id ?? '', ended.get(step.job_id)])))
          }
        }
      }
      assert.deepEqual(essence(shaken.run), essence(straight.run))
      assert.equal(shaken.run?.status, straight.run?.status)
      const told = shaken.events.flatMap(({ event, data }) => (event === 'run' ? [data] : []))
      assert.equal(told.at(-1)?.status, shaken.run?.status, 'the last event has the last status')
    }),
    { numRuns: 150 },
  )
})

t.test('a cancelled run ends, whenever it is cancelled, and starts nothing', async () => {
  fc.assert(
    fc.property(workflow, fc.nat(8), fc.boolean(), (given, after, completes) => {
      const shop = secondRun(given)
      shop.work = () => {}
      shop.post({ stages: STAGES, rerun: given.rerun })
      for (let i = 0; i < after; i += 1) {
        const step = shop.run?.steps.find(isLive)
        if (step) shop.end(step)
      }
      const wasFinished = shop.run !== null && isFinished(shop.run)
      const begun = shop.run?.steps.filter(({ round }) => round > 0).length
      assert.equal(shop.cancel(), !wasFinished)
      if (wasFinished) return
      if (shop.run?.steps.some(isLive)) assert.equal(shop.run.status, 'cancelling')
      for (let step = shop.run?.steps.find(isLive); step; step = shop.run?.steps.find(isLive)) {
        const end = shop.endOf(step)
        shop.take(
          new Map([[step.job_id ?? '', completes ? end : { ...end, status: 'cancelled', result: null }]]),
        )
      }
      assert.equal(shop.run?.steps.filter(({ round }) => round > 0).length, begun, 'nothing more was queued')
      assert.ok(!shop.run?.steps.some(({ status }) => ['pending', 'queued'].includes(status)))
      assert.ok(shop.run && isFinished(shop.run))
      assert.match(String(shop.run?.status), /^(cancelled|failed|rejected)$/)
    }),
    { numRuns: 100 },
  )
})

t.test('each change of a step without an event of its job is reported once', async () => {
  fc.assert(
    fc.property(workflow, (given) => {
      const shop = secondRun(given)
      shop.events.length = 0
      shop.post({ stages: STAGES, rerun: given.rerun })
      for (let step = waitingOf(shop); step; step = waitingOf(shop))
        shop.sign(step.stage, verdictOf(given, step))
      for (const { stage, status, round } of shop.run?.steps ?? []) {
        const told = shop.events.flatMap(({ event, data }) =>
          event === 'run' && 'step' in data && data.step?.stage === stage ? [data.step.status] : [],
        )
        assert.equal(new Set(told).size, told.length, 'none twice')
        const jobTells = round > 0 && ['completed', 'failed'].includes(status)
        if (!jobTells) assert.equal(told.at(-1), status)
      }
    }),
    { numRuns: 100 },
  )
})

t.test('equal values have the same canonical text', async (t) => {
  t.equal(
    canonical({ b: [1e21, 0.000001, -0], a: { é: '\u2028"', z: null, A: true }, gone: undefined }),
    '{"a":{"A":true,"z":null,"é":"\u2028\\""},"b":[1e+21,0.000001,0]}',
  )
  // The example of RFC 8785, 3.2.3: names are sorted by UTF-16 code units.
  t.equal(
    canonical({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }),
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
  )
  t.throws(() => canonical({ a: Number.NaN }))
  t.equal(sha256({}), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      t.same(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value))),
    ),
  )
})
