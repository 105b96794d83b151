/** A running job and its readers, without HTTP. */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { toJob } from '../../stage-kit/job.ts'
import { Run } from '../../stage-kit/run.ts'
import { StageFailure } from '../../stage-kit/stage.ts'
import { stageRequest } from './service-client.ts'

const ANSWER = { success: true, artifacts: [] }
const job = () => toJob(2, stageRequest(), undefined)
const nobodyLeaves = new AbortController().signal

t.test('a slow reader uses bounded memory and still gets the end', async (t) => {
  const run = new Run(
    job(),
    async () => undefined,
    async (self) => {
      for (let step = 0; step <= 1000; step++) await self.progress(step / 10, `step ${step}`, 0)
      return ANSWER
    },
  )
  const reader = run.lines(60_000, nobodyLeaves)
  t.match((await reader.next()).value, { percent: 0 })
  await run.answer
  const lines = []
  for await (const line of reader) lines.push(line)
  t.ok(lines.length <= 257, `${lines.length} of 1000 lines were kept`)
  t.match(lines.at(-2), { type: 'progress', percent: 100 })
  t.match(lines.at(-1), { type: 'result', success: true })
})

t.test('a reader that keeps up misses nothing, and progress never goes back', async (t) => {
  const run = new Run(
    job(),
    async () => undefined,
    async (self) => {
      for (const percent of [10, 5, 30, 200, 40]) await self.progress(percent, 'step', 0)
      return ANSWER
    },
  )
  const percents = []
  for await (const line of run.lines(60_000, nobodyLeaves)) {
    if (line.type === 'progress') percents.push(line.percent)
  }
  t.strictSame(percents, [10, 10, 30, 100, 100])
})

t.test('only the last caller that leaves stops the work, and none does after the end', async (t) => {
  let stops = 0
  const stop = () => {
    stops++
    run.stop(new StageFailure(499, 'CALLER_GONE', 'gone'))
  }
  const run: Run = new Run(
    job(),
    async () => undefined,
    async (self) => {
      await once(self.signal, 'abort')
      throw self.signal.reason
    },
  )
  const [first, second] = [run.join(stop), run.join(stop)]
  await turn()
  first()
  first()
  t.equal(stops, 0)
  second()
  t.equal(stops, 1)
  await t.rejects(run.answer, { code: 'CALLER_GONE' })
  run.join(stop)()
  t.equal(stops, 1)
})

t.test('a step of stopped work throws, even during its pause', async (t) => {
  const run = new Run(
    job(),
    async () => undefined,
    async (self) => {
      await self.progress(1, 'a long pause', 600_000)
      return ANSWER
    },
  )
  await turn()
  run.stop(new Error('stopped'))
  await t.rejects(run.answer, { name: 'AbortError' })
  await t.rejects(run.progress(2, 'late', 0), { message: 'stopped' })
})

t.test('a reader that has left is released at once', async (t) => {
  const left = new AbortController()
  const run = new Run(
    job(),
    () => new Promise(() => undefined),
    async () => ANSWER,
  )
  const next = run.lines(600_000, left.signal).next()
  left.abort()
  t.strictSame(await next, { value: undefined, done: true })
})
