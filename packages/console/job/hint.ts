/** What a waiting job waits for, as a sentence. */
import type { Hint } from '../../../contract/job.ts'

export function hintText({ waiting_for, position, waiting, retry_at }: Hint): string {
  switch (waiting_for) {
    case 'turn':
      if (position === 1) return 'It is the next in the queue.'
      return position
        ? `It is number ${position} of ${waiting} in the queue.`
        : `${waiting} jobs are in the queue.`
    case 'worker':
      return 'No worker is there to take it. It begins when one comes.'
    case 'circuit':
      return 'The stage service is away. It goes on when that is back.'
    case 'retry':
      return retry_at
        ? `The next attempt begins at ${time.format(retry_at)}.`
        : 'The next attempt begins soon.'
  }
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
