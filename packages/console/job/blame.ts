/** Whose fault a failed job is, and what to do about it. */
import type { JobError } from '../../../contract/events.ts'

export interface Blame {
  /** Whose fault it is, as a heading. */
  whose: string
  advice: string
  /** Whether the same input may succeed. */
  retry: boolean
}

export const SERVICE = 'The stage service failed'
export const INPUT = 'The stage service did not accept the input'
/** The service says that it would fail again, but not whether the input or something else is the cause. */
export const REJECTED = 'The stage service rejected this job'
export const STAGECAST = 'Stagecast failed'
export const OPERATOR = 'The operator of this server must act'

const AGAIN = 'Retry. If it happens again, tell the operator of this server.'
const CHANGE = 'Change what the message names, then run it again.'

/** Codes that Stagecast gives itself. The first match counts. */
const OWN: readonly [code: RegExp, whose: string, advice: string, retry: boolean][] = [
  [
    /^STAGE_UNREACHABLE$/,
    OPERATOR,
    'The stage service is not running, or not at the configured address. Retry once it is.',
    true,
  ],
  [/^JOB_ABANDONED$/, OPERATOR, 'An operator ended this job in the queue. Ask why, then retry.', true],
  [
    /^STAGE_(?:TIMEOUT|SILENT)$/,
    SERVICE,
    'It took too long. Retry, or ask for less. If it happens again, the operator can allow more time.',
    true,
  ],
  [/^STAGE_ANSWER_INVALID$/, SERVICE, 'The service must be corrected. Give its authors this message.', false],
  [/^STAGE_ANSWER_INCOMPLETE$/, SERVICE, AGAIN, true],
  [
    /^STAGE_RESULT_TOO_LARGE$/,
    SERVICE,
    'Its result is larger than this server allows. Ask for less, or have the operator raise the limit.',
    false,
  ],
  [/^(?:ARTIFACT|UPSTREAM)_UNREADABLE$/, SERVICE, AGAIN, true],
  [
    /^UPSTREAM_GONE$/,
    SERVICE,
    'It no longer has the files of an earlier stage. Run the workflow again to recreate them.',
    false,
  ],
  [
    /^WORKER_LOST$/,
    STAGECAST,
    'The worker process died while it ran this job, for example because it ran out of memory. Retry. If it happens again, look in its log.',
    true,
  ],
  [/^WORKER_SHUTDOWN$/, STAGECAST, 'Retry.', true],
  [
    /^INVALID_JOB$/,
    STAGECAST,
    'The worker does not understand this job, usually because API and worker run different releases. Tell the operator, then retry.',
    true,
  ],
]

export function blameOf(error: Pick<JobError, 'code' | 'retryable' | 'service_status'>): Blame {
  const { code, retryable } = error
  const status = error.service_status ?? statusIn(code)
  if (status !== undefined) return blameOfService(code, status, retryable)
  // Jobs of an earlier release do not say whose code it is. Services use this one for failures that may pass.
  if (code === 'INTERNAL_ERROR' && !retryable)
    return { whose: STAGECAST, advice: 'This is a bug. Look in the log of the worker.', retry: true }
  const found = OWN.find(([pattern]) => pattern.test(code))
  if (found) return { whose: found[1], advice: found[2], retry: found[3] }
  return blameOfService(code, 200, retryable)
}

/** The status of a service that gave no code of its own. */
function statusIn(code: string): number | undefined {
  const [, status] = /^STAGE_SERVICE_(\d{3})$/.exec(code) ?? []
  return status === undefined ? undefined : Number(status)
}

/** The service itself reported the failure, with whatever code it likes: its status says whose fault it is. */
function blameOfService(code: string, status: number, retryable: boolean): Blame {
  if (status === 401 || status === 403)
    return operator(
      'The stage service refuses the credentials that this server sends. They must be corrected first.',
    )
  if (code === 'STAGE_NOT_FOUND')
    return operator(
      'The service at the configured address does not have this stage. It must be added, or the address corrected.',
    )
  // A service that misses something of the input names it with a code of its own.
  const isAddress = status === 404 && /^(?:NOT_FOUND|STAGE_SERVICE_404)$/.test(code)
  if (isAddress || (status >= 300 && status < 400) || status === 405)
    return operator(
      'No service with this stage answers at the configured address. It must be corrected first.',
    )
  if (/^SOURCES?_(?:UNREACHABLE|UNAVAILABLE)$/.test(code))
    return { whose: SERVICE, advice: 'The literature databases did not answer. Retry later.', retry: true }
  if (status === 429) return { whose: SERVICE, advice: 'It is overloaded. Retry later.', retry: true }
  if (status >= 500 || retryable) return { whose: SERVICE, advice: AGAIN, retry: true }
  // What every request of Stagecast's has in common: its method, its headers, that it is JSON.
  if ([406, 415, 417, 426, 431].includes(status))
    return {
      whose: SERVICE,
      advice:
        'It does not accept the requests that Stagecast sends. It must be corrected: give its authors this message.',
      retry: false,
    }
  if (status >= 400) return { whose: INPUT, advice: CHANGE, retry: false }
  return {
    whose: REJECTED,
    advice:
      'It says that the same input would fail again. If the message names something that you asked for, change that. Otherwise give the message to the operator of this server.',
    retry: false,
  }
}

function operator(advice: string): Blame {
  return { whose: OPERATOR, advice, retry: true }
}
