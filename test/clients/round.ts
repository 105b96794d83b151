/** The round: uses every part of the API through a client's adapter. */
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { QUESTION } from '../helpers/app.ts'
import type { Adapter, Job, RunName, RunState } from './adapters/adapter.ts'

/** The file that the stage service returns for stage 2. It never answers stage 3. */
export const FILE = { name: 'literature_review.json', content: JSON.stringify({ papers: ['Größe 試験'] }) }

const QUESTIONED = { research_question: QUESTION }

export async function round(t: Test, client: Adapter, url: string): Promise<void> {
  t.ok((await client.stages()).includes('literature-search'), 'the catalogue')

  const workflow_id = randomUUID()
  const request = { workflow_id, ...QUESTIONED, idempotencyKey: randomUUID() }
  const inputs = { max_results: 3, study_types: ['review' as const] }
  const job = await confirmed(() => client.review({ ...request, inputs }))
  t.equal((await client.review({ ...request, inputs })).job_id, job.job_id, 'a repeat is the same job')
  t.match(await client.refusedReview({ ...request, research_question: 'short' }), {
    status: 400,
    code: 'VALIDATION_FAILED',
    paths: ['body/research_question'],
  })

  const end = await ended(client, job)
  t.equal(end.status, 'completed', 'long polls lead to its end')
  await readEvents(t, client, job, end.cursor)
  t.equal(await client.artifact(job, FILE.name), FILE.content, 'the file, as it is')
  const page = await fetch(url + (await client.ticket(job)), { headers: { accept: 'application/json' } })
  t.equal(page.status, 200, 'a ticket opens the events')
  t.match(await client.refusedCancel(job), { status: 409, code: 'JOB_FINISHED', detail: /completed/ })

  const other = await confirmed(() => client.proposal({ ...request, idempotencyKey: randomUUID() }))
  await until(client, other, ({ status }) => status === 'active')
  t.equal(await client.cancel(other), 'cancelling')
  t.equal((await ended(client, other)).status, 'cancelled')
  t.equal(await client.cancel(other), 'cancelled', 'again and again')
  const told = client.watch ? await all(client.watch(other)) : ((await client.page?.(other))?.events ?? [])
  t.match(told.at(-1), { event: 'cancelled', error: 'CANCELLED' }, 'an event that has an error')

  const listed = await client.jobs(workflow_id, 1)
  t.match(
    listed,
    [
      { job_id: other.job_id, status: 'cancelled' },
      { job_id: job.job_id, status: 'completed' },
    ],
    'both jobs, page by page, newest first',
  )
  t.equal(listed.length, 2)
}

/** Stage 5 is a gate; stage 10 needs a stage that is not requested. */
export async function runRound(t: Test, client: Adapter): Promise<void> {
  const workflow_id = randomUUID()
  t.same(await client.plan(workflow_id, [5, 6]), [
    ['run', 'never run', true],
    ['run', 'never run', false],
  ])
  t.match(await client.refusedRun(workflow_id, [10]), {
    status: 422,
    code: 'STAGE_NEEDS',
    detail: /stage 2/i,
  })
  const key = randomUUID()
  const run = await confirmed(() => client.startRun(workflow_id, [5, 6], key))
  t.equal((await client.startRun(workflow_id, [5, 6], key)).run_id, run.run_id, 'a repeat is the same run')
  const waiting = await settled(client, run)
  const gate = { stage: 5, status: 'awaiting_sign_off', awaiting: /^[0-9a-f]{64}$/ }
  t.match(waiting, { status: 'waiting', steps: [gate, { stage: 6, status: 'completed' }] })
  const digest = waiting.steps[0]?.awaiting ?? ''
  const mine = (await client.signOffs()).filter(({ run_id }) => run_id === run.run_id)
  t.match(mine, [{ workflow_id, run_id: run.run_id, stage: 5, digest }])
  t.ok((await client.approve(run, 5, digest)).by, 'the decision says who')
  t.equal((await settled(client, run)).status, 'completed')
  t.same(
    (await client.plan(workflow_id, [5, 6])).map(([action]) => action),
    ['reuse', 'reuse'],
  )
  const told = (await client.runEvents?.(workflow_id)) ?? []
  if (client.runEvents) t.same(told, ['running', 'waiting', 'approved', 'completed'])
}

/** Long polls until no step is running. */
async function settled(client: Adapter, run: RunName): Promise<RunState> {
  let state = await client.run(run, '', 0)
  while (state.status === 'running') state = await client.run(run, state.cursor, 20)
  return state
}

/** Reads the events by page and by stream, as far as the client can: both are complete, in order, and equal. */
async function readEvents(t: Test, client: Adapter, job: Job, cursor: string): Promise<void> {
  const whole = (await client.page?.(job))?.events ?? []
  const streamed = client.watch ? await all(client.watch(job)) : whole
  if (client.page) {
    t.same(streamed, whole, 'the stream has the events of the page')
    const behind = await client.page(job, whole[2]?.id)
    t.same(behind, { events: whole.slice(3), cursor, finished: true }, 'a page continues after an event ID')
  }
  const ids = streamed.map(({ id }) => id)
  t.same(ids, [...new Set(ids)].sort(), 'in order, each once')
  t.equal(ids.at(-1), cursor)
  t.match(streamed[0], { event: 'queued', progress: 0 })
  t.same(
    streamed.filter(({ event }) => event === 'progress').map(({ progress }) => progress),
    [10, 20, 50, 80, 100],
    'every milestone, and the progress of the service in between',
  )
  t.match(streamed.at(-1), { event: 'completed', progress: 100, artifacts: [FILE.name] })
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

function ended(client: Adapter, job: Job) {
  return until(client, job, ({ finished }) => finished)
}

/** Long polls; each one asks for changes after the previous state. */
async function until(
  client: Adapter,
  job: Job,
  enough: (state: { status: string; finished: boolean }) => boolean,
): Promise<{ status: string; cursor: string }> {
  let state = await client.status(job)
  while (!enough(state)) {
    if (state.finished) throw new Error(`the job has ${state.status}`)
    state = await client.status(job, state.cursor, 20)
  }
  return state
}

/** A busy machine may not confirm the job in time, so repeat the same request with the same key. */
async function confirmed<T>(request: () => Promise<T>): Promise<T> {
  for (let tries = 1; tries < 5; tries += 1) {
    try {
      return await request()
    } catch {}
  }
  return request()
}
