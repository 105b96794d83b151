/**
 * `npm run demo [-- "another question"]`: starts everything embedded, executes stage 2 over HTTP like any client, shows its
 * progress live and then the review. Exit code 0, or 1 with an explanation.
 */
import { randomUUID } from 'node:crypto'
import { join, relative } from 'node:path'
import { isTerminal } from '../contract/events.ts'
import type { JobEventData } from '../contract/job-event.ts'
import { Stagecast, StagecastError, type WatchedEvent } from '../packages/client/index.ts'
import { progressBar } from '../packages/client/terminal/progress-bar.ts'
import { plain } from '../packages/client/terminal/terminal-text.ts'
import { type DemoServer, startServer } from './demo-server.ts'
import { reviewTable } from './review-table.ts'

const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'
const ARTIFACT = 'literature_review.json'
const DEFAULT_COLUMNS = 100
/** The error of a job that ended without an event. */
const GONE = { code: 'GONE', message: 'it disappeared from the queue' }

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupt.abort(new Error(`stopped by ${signal}`)))
}
// The reader of the output may exit early, as `head` does.
for (const output of [process.stdout, process.stderr])
  output.on('error', () => interrupt.abort(new Error('stopped: its output was closed')))
process.exitCode = await demo(process.argv.slice(2).join(' ').trim() || QUESTION, interrupt.signal)

async function demo(question: string, interrupted: AbortSignal): Promise<number> {
  const dataDir = process.env.STAGECAST_DATA || join('.stagecast', 'demo', timestamp())
  console.log(
    'Stage 2, the literature review, over HTTP on this machine. The records are a shipped sample: invented.',
  )
  console.log(`\nQuestion  ${plain(question)}`)
  let server: DemoServer | undefined
  try {
    server = await startServer(dataDir)
    if (interrupted.aborted) throw interrupted.reason
    console.log(`Server    ${server.url} (Redis, API, worker and stage service)`)
    await Promise.race([ask(server.url, question, dataDir, interrupted), server.failed])
    return 0
  } catch (error) {
    const told = explain(error as Error)
    console.error(interrupted.aborted ? `\nThe demo was ${told}.` : `\nThe demo failed: ${told}`)
    return interrupted.aborted ? 130 : 1
  } finally {
    // Closes an event stream that is still open.
    interrupt.abort()
    await server?.stop()
  }
}

async function ask(base: string, question: string, dataDir: string, signal: AbortSignal): Promise<void> {
  const stagecast = new Stagecast({ baseUrl: base, token: 'test-token' })
  const job = await stagecast.execute(
    2,
    { workflow_id: randomUUID(), research_question: question },
    { signal },
  )
  console.log(`Job       ${job.job_id}\n`)
  const end = await follow(stagecast.watch(job, { signal }))
  if (end?.status !== 'completed') {
    const { code, message } = end && 'error' in end ? end.error : GONE
    throw new Error(`the job ended as ${end?.status ?? 'gone'}: ${code} ${plain(message)}`)
  }

  const review = await (await stagecast.artifact(job, ARTIFACT)).json()
  console.log(`\n${reviewTable(review, (process.stdout.columns ?? DEFAULT_COLUMNS) - 1)}\n`)
  const file = join(dataDir, 'stage-service', 'jobs', job.job_id, 'artifacts', ARTIFACT)
  console.log(`The review is in ${relative('', file)}`)
  console.log('To ask the API for it again:\n')
  console.log(`  STAGECAST_DATA=${relative('', dataDir)} npm run dev`)
  console.log(`  npm run -s stage -- artifacts 2 ${job.job_id} ${ARTIFACT}`)
}

/** Prints the events of the job; returns the data of the terminal one. */
async function follow(events: AsyncIterable<WatchedEvent>): Promise<JobEventData | undefined> {
  const bar = progressBar(process.stdout)
  let end: JobEventData | undefined
  try {
    for await (const event of events) {
      if (event.event === 'gap' || event.event === 'hint' || event.event === 'gone') continue
      bar.show(event.data)
      if (isTerminal(event.event)) end = event.data
    }
  } finally {
    bar.end()
  }
  return end
}

/** Formats an API error with its fault per field. */
function explain(error: Error): string {
  if (!(error instanceof StagecastError)) return error.message
  const faults = error.problem.errors?.map(({ path, message }) => `\n  ${path}: ${message}`) ?? []
  return `The API answered ${error.status}: ${error.message}${faults.join('')}`
}

/** A sortable, readable timestamp for a file name. */
function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}-${process.pid}`
}
