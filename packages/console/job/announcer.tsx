/** Announces a job to screen readers: every change of status, but progress only in quarters. */
import type { JobView } from './use-job.ts'

export function Announcer({ view }: { view: JobView }) {
  return (
    <p class="unseen" role="status">
      {announcement(view)}
    </p>
  )
}

/** A screen reader does not repeat the same text, so this changes only when there is news. */
function announcement({ status, progress, attempt, error }: JobView): string {
  if (status === 'active') {
    const quarter = Math.min(75, Math.floor(progress / 25) * 25)
    return `Attempt ${attempt} is running, ${quarter === 0 ? 'just started' : `more than ${quarter} percent done`}.`
  }
  if (status === 'retrying') return `Attempt ${attempt} failed, retrying. ${error?.message ?? ''}`
  if (status === 'failed') return `The job failed. ${error?.message ?? ''}`
  if (status === 'completed') return 'The job is completed. Its result is shown below.'
  return `The job is ${status}.`
}
