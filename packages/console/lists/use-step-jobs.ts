/** Follows the jobs of a run's steps, also for a signer who can see nothing else of the workflow. */
import { useEffect, useState } from 'preact/hooks'
import type { JobSnapshot } from '../../../contract/job.ts'
import type { JobReference, Run } from '../../client/index.ts'
import { keepWatching } from '../../client/keep-watching.ts'
import { persist } from '../../client/persist.ts'
import type { WatchedJob } from '../../client/workflow-view.ts'
import { stagecast } from '../api/api.ts'

export type StepJobs = ReadonlyMap<string, WatchedJob>

export function useStepJobs(run: Run | null): StepJobs {
  const [jobs, setJobs] = useState<StepJobs>(new Map())
  const ids = JSON.stringify(
    run?.steps.flatMap(({ stage, job_id }) => (job_id ? [{ stage, job_id }] : [])) ?? [],
  )
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const change = (next: WatchedJob) =>
      signal.aborted || setJobs((now) => new Map([...now, [next.job_id, next]]))
    for (const job of JSON.parse(ids) as JobReference[]) {
      // The page does without a job that cannot be read.
      follow(job, signal, change).catch(() => {})
    }
    return () => leaving.abort()
  }, [ids])
  return jobs
}

async function follow(
  job: JobReference,
  signal: AbortSignal,
  change: (job: WatchedJob) => void,
): Promise<void> {
  const look = async () => toWatched(await persist(() => stagecast.status(job, { signal }), signal))
  let known = await look()
  change(known)
  if (known.finished_at !== null) return
  // A ticket: the stream of a job is for its owner, and those who sign may have a ticket for it.
  const events = async () => (await stagecast.ticket(job)).events_url
  for await (const event of keepWatching((at) => stagecast.watch(job, { ...at, events }), signal)) {
    if (event.event === 'hint') known = { ...known, hint: event.data }
    else if (event.event !== 'gap' && event.event !== 'gone') {
      const { status, progress, attempt, message } = event.data
      if (attempt < known.attempt) continue
      known = { ...known, status, attempt, message, hint: null, progress: Math.max(progress, known.progress) }
    }
    change(known)
  }
  change(await look())
}

function toWatched({ data, cursor: _cursor, result: _result, ...rest }: JobSnapshot): WatchedJob {
  return { ...rest, research_question: data.research_question, message: '', hint: null }
}
