/** The demo of one stage: a literature review, its progress live, then the review as a table. */
import { randomUUID } from 'node:crypto'
import { join, relative } from 'node:path'
import { isTerminal } from '../contract/events.ts'
import type { JobEventData } from '../contract/job-event.ts'
import { Stagecast, type WatchedEvent } from '../packages/client/index.ts'
import { progressBar } from '../packages/client/terminal/progress-bar.ts'
import { plain } from '../packages/client/terminal/terminal-text.ts'
import type { DemoOptions } from './demo-options.ts'
import { reviewTable } from './review-table.ts'

const ARTIFACT = 'literature_review.json'
const DEFAULT_COLUMNS = 100
/** The error of a job that ended without an event. */
const GONE = { code: 'GONE', message: 'the job disappeared from the queue' }

export async function demoReview(
  base: string,
  dataDir: string,
  { question }: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
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
  console.log(`\n${reviewTable(review, (process.stdout.columns || DEFAULT_COLUMNS) - 1)}\n`)
  const file = join(dataDir, 'stage-service', 'jobs', job.job_id, 'artifacts', ARTIFACT)
  console.log(`The review is in ${relative('', file)}`)
  console.log('To get it from the API again:\n')
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
