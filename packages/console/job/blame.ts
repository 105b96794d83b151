/** Whose fault a failed job is, and what to do about it, from the code of its error. */
import type { JobError } from '../../../contract/events.ts'

export interface Blame {
  /** Whose fault it is, as a heading. */
  whose: string
  advice: string
  /** Whether the same input may succeed. */
  retry: boolean
}

const SERVICE = 'The stage service failed'
const INPUT = 'The stage service did not accept the input'
const STAGECAST = 'Stagecast failed'
const OPERATOR = 'The operator of this server has to act'

const RETRY = 'Retry.'
const AGAIN = 'Retry. If it happens again, tell the operator of this server.'
const AUTHORS = 'The service must be corrected. Give its authors this message.'

/** Codes of Stagecast's own, and statuses of a service that gives no code. The first match counts. */
const BLAMES: readonly [code: RegExp, whose: string, advice: string, retry: boolean][] = [
  [
    /^STAGE_UNREACHABLE$/,
    OPERATOR,
    'The stage service does not run, or not at the configured address. Retry when it does.',
    true,
  ],
  [
    /^STAGE_SERVICE_(?:401|403)$/,
    OPERATOR,
    'The stage service refuses the credentials that this server sends. They must be corrected first.',
    true,
  ],
  [
    /^STAGE_SERVICE_(?:3..|404|405)$/,
    OPERATOR,
    'The configured address is not that of a service with this stage. It must be corrected first.',
    true,
  ],
  [
    /^STAGE_NOT_FOUND$/,
    OPERATOR,
    'The service at the configured address does not have this stage. It must be added, or the address corrected.',
    true,
  ],
  [/^JOB_ABANDONED$/, OPERATOR, 'An operator ended this job in the queue. Ask why, then retry.', true],
  [/^STAGE_SERVICE_(?:408|425|429|5..)$/, SERVICE, AGAIN, true],
  [
    /^STAGE_(?:TIMEOUT|SILENT)$/,
    SERVICE,
    'It took too long. Retry, or ask for less. If it happens again, the operator can allow more time.',
    true,
  ],
  [/^STAGE_ANSWER_INVALID$/, SERVICE, AUTHORS, false],
  [/^STAGE_ANSWER_INCOMPLETE$/, SERVICE, AGAIN, true],
  [
    /^STAGE_RESULT_TOO_LARGE$/,
    SERVICE,
    'Its result is larger than this server allows. Ask for less, or have the operator raise the limit.',
    false,
  ],
  [
    /^STAGE_FAILED$/,
    SERVICE,
    'The message says what it knows. Change the input accordingly, or retry.',
    true,
  ],
  [/^(?:ARTIFACT|UPSTREAM)_UNREADABLE$/, SERVICE, AGAIN, true],
  [
    /^UPSTREAM_GONE$/,
    SERVICE,
    'It no longer has the files of an earlier stage. Run the workflow again, and that stage makes them again.',
    false,
  ],
  [
    /^SOURCES?_(?:UNREACHABLE|UNAVAILABLE)$/,
    SERVICE,
    'The literature databases did not answer. Retry later.',
    true,
  ],
  [
    /^WORKER_LOST$/,
    STAGECAST,
    'The worker process died while it ran this job, for example because it had no memory left. Retry. If it happens again, its log says more.',
    true,
  ],
  [/^WORKER_SHUTDOWN$/, STAGECAST, RETRY, true],
  [
    /^INVALID_JOB$/,
    STAGECAST,
    'The worker does not understand this job, usually because API and worker are of different releases. Tell the operator, then retry.',
    true,
  ],
]

export function blameOf({ code, retryable }: Pick<JobError, 'code' | 'retryable'>): Blame {
  // Services use this code too, for failures that may pass.
  if (code === 'INTERNAL_ERROR' && !retryable)
    return { whose: STAGECAST, advice: 'This is a bug. The log of the worker says more.', retry: true }
  const found = BLAMES.find(([pattern]) => pattern.test(code))
  if (found) return { whose: found[1], advice: found[2], retry: found[3] }
  // The service's own code: it knows best whether the same input may succeed.
  if (retryable) return { whose: SERVICE, advice: AGAIN, retry: true }
  return { whose: INPUT, advice: 'Change what the message names, and run it again.', retry: false }
}
