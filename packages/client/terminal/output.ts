/** What a command prints: text for a person at a terminal, JSON lines for a program in a pipe. */

import type { JobSnapshot, JobSummary } from '../../../contract/job.ts'
import type { WatchedEvent } from '../index.ts'
import { progressBar, type Shown } from './progress-bar.ts'
import { cut, fit, plain } from './terminal-text.ts'

export interface Streams {
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
}

export interface Output {
  /** Prints a note, separate from the results. */
  note(text: string): void
  /** Prints the result of a command: one JSON line, or `text` for people, if there is any. */
  result(value: unknown, text: string): void
  /** Prints an event of the watched job. */
  event(event: WatchedEvent): void
  /** Keeps the progress bar on the screen and ends its line. */
  endEvents(): void
}

export function createOutput({ stdout, stderr }: Streams, json: boolean): Output {
  const bar = progressBar(stdout)
  return {
    note: (text) => void stderr.write(`${plain(text)}\n`),
    result(value, text) {
      if (json) stdout.write(`${JSON.stringify(value)}\n`)
      else if (text !== '') stdout.write(`${text}\n`)
    },
    event(event) {
      if (json) stdout.write(`${JSON.stringify(event)}\n`)
      else if (event.event === 'gap') bar.show(toShown(event.data))
      else if (event.event !== 'hint' && event.event !== 'gone') bar.show(event.data)
    },
    endEvents: bar.end,
  }
}

/** Shows the state in place of events that are no longer kept. */
function toShown({ progress, attempt, error }: JobSnapshot): Shown {
  return { progress, attempt, message: 'earlier events are no longer kept', ...(error && { error }) }
}

/** Describes a job in a few lines. */
export function tellJob(job: JobSnapshot): string {
  const lines = [
    ['Job', job.job_id],
    ['Stage', String(job.stage)],
    ['Workflow', job.workflow_id],
    ['Status', `${job.status}, ${job.progress} %`],
    ['Attempt', `${job.attempt} of ${job.max_attempts}`],
    ['Question', plain(job.data.research_question ?? '–')],
    ['Queued', time(job.created_at)],
    ['Finished', time(job.finished_at)],
  ]
  if (job.error) lines.push(['Error', `${job.error.code}: ${plain(job.error.message)}`])
  if (job.result) lines.push(['Files', job.result.artifacts.map(plain).join(', ') || 'none'])
  return lines.map(([name, value]) => `${name?.padEnd(9)} ${value}`).join('\n')
}

/** Lists jobs in a table. */
export function tellJobs(jobs: readonly JobSummary[], columns = 120): string {
  if (jobs.length === 0) return 'No jobs found.'
  return jobs
    .map((job) => {
      const place = `${String(job.stage).padStart(2)} ${job.job_id}  ${fit(job.status, 10)} ${time(job.created_at)}  `
      return place + cut(job.research_question ?? '', Math.max(10, columns - place.length - 1))
    })
    .join('\n')
}

function time(at: number | null): string {
  return at === null ? '–' : new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}
