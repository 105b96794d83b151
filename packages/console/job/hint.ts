/** What a waiting job is waiting for, as a sentence. */
import type { Hint } from '../../../contract/job.ts'

export function hintText({ waiting_for, position, waiting, retry_at }: Hint): string {
  switch (waiting_for) {
    case 'turn':
      if (position === 1) return 'This job is next in the queue.'
      return position
        ? `This job is number ${position} of ${waiting} in the queue.`
        : `${waiting} jobs are in the queue.`
    case 'worker':
      return 'No worker is available; the job starts when one connects.'
    case 'circuit':
      return 'The stage service is unavailable; the job resumes when it is back.'
    case 'paused':
      return 'The queue is paused; the job continues when an operator resumes it.'
    case 'retry':
      return retry_at
        ? `The next attempt begins at ${time.format(retry_at)}.`
        : 'The next attempt begins soon.'
  }
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** States in which a job waits. A hint may arrive after the job has begun. */
const WAITING = ['queued', 'retrying']

/** What a job of a workflow waits for, or else its last message. */
export function messageOf({
  status,
  hint,
  message,
}: {
  status: string
  hint: Hint | null
  message: string
}): string {
  return hint && WAITING.includes(status) ? hintText(hint) : message
}
