/** Whose fault a failure is, for every documented code and every status of a service. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ERRORS, type ErrorCode } from '../../contract/errors.ts'
import { blameOf, INPUT, OPERATOR, REJECTED, SERVICE, STAGECAST } from '../../packages/console/job/blame.ts'
import { failureOfStatus } from '../../workers/failure.ts'
import { ROOT } from '../helpers/processes.ts'

/** The codes of failed jobs in docs/api.md, but for those of the service. A cancelled job has not failed. */
function documented(): string[] {
  const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')
  const table = page.slice(page.indexOf('| `error.code` |'))
  return [...table.matchAll(/^\| `([A-Z_0-9]+)`/gm)].map(([, code = '']) => code)
}

const DOCUMENTED: Record<string, string> = {
  STAGE_UNREACHABLE: OPERATOR,
  STAGE_SERVICE_503: SERVICE,
  STAGE_TIMEOUT: SERVICE,
  STAGE_SILENT: SERVICE,
  STAGE_ANSWER_INVALID: SERVICE,
  STAGE_ANSWER_INCOMPLETE: SERVICE,
  STAGE_RESULT_TOO_LARGE: SERVICE,
  STAGE_FAILED: REJECTED,
  ARTIFACT_UNREADABLE: SERVICE,
  UPSTREAM_UNREADABLE: SERVICE,
  UPSTREAM_GONE: SERVICE,
  WORKER_LOST: STAGECAST,
  WORKER_SHUTDOWN: STAGECAST,
  INVALID_JOB: STAGECAST,
  JOB_ABANDONED: OPERATOR,
}

t.test('every documented code', async (t) => {
  t.same(
    documented()
      .filter((code) => code !== 'CANCELLED')
      .sort(),
    Object.keys(DOCUMENTED).sort(),
  )
  for (const [code, whose] of Object.entries(DOCUMENTED)) {
    const blame = blameOf({ code, retryable: false })
    t.equal(blame.whose, whose, code)
    t.match(blame.advice, /[Rr]etry|correct|[Aa]sk|[Cc]hange|Run/, `${code}: what to do`)
  }
  t.equal(blameOf({ code: 'INTERNAL_ERROR', retryable: false }).whose, STAGECAST)
})

/** A stage service may answer with any error that Stagecast's own API knows: for example if it is built on Stagecast. */
const ANSWERED: Record<ErrorCode, string> = {
  VALIDATION_FAILED: INPUT,
  BAD_REQUEST: INPUT,
  UNAUTHENTICATED: OPERATOR,
  INVALID_TOKEN: OPERATOR,
  TOKEN_EXPIRED: OPERATOR,
  INVALID_TICKET: OPERATOR,
  TICKET_EXPIRED: OPERATOR,
  FORBIDDEN: OPERATOR,
  NOT_FOUND: OPERATOR,
  STAGE_NOT_FOUND: OPERATOR,
  JOB_NOT_FOUND: INPUT,
  WORKFLOW_NOT_FOUND: INPUT,
  RUN_NOT_FOUND: INPUT,
  ARTIFACT_NOT_FOUND: INPUT,
  METHOD_NOT_ALLOWED: OPERATOR,
  NOT_ACCEPTABLE: SERVICE,
  REQUEST_TIMEOUT: SERVICE,
  JOB_FINISHED: INPUT,
  JOB_NOT_FINISHED: INPUT,
  NOT_RETRYABLE: INPUT,
  RUN_ACTIVE: INPUT,
  RUN_FINISHED: INPUT,
  CONTENT_CHANGED: INPUT,
  NOT_WAITING: INPUT,
  DECIDED: INPUT,
  JOB_DELETED: INPUT,
  PAYLOAD_TOO_LARGE: INPUT,
  URI_TOO_LONG: INPUT,
  UNSUPPORTED_MEDIA_TYPE: SERVICE,
  RANGE_NOT_SATISFIABLE: INPUT,
  EXPECTATION_FAILED: SERVICE,
  STAGE_NEEDS: INPUT,
  IDEMPOTENCY_KEY_REUSED: INPUT,
  RATE_LIMITED: SERVICE,
  TOO_MANY_JOBS: SERVICE,
  TOO_MANY_STREAMS: SERVICE,
  HEADERS_TOO_LARGE: SERVICE,
  INTERNAL_ERROR: SERVICE,
  STAGE_SERVICE_ERROR: SERVICE,
  QUEUE_UNAVAILABLE: SERVICE,
  AUTH_UNAVAILABLE: SERVICE,
  STAGE_SERVICE_UNAVAILABLE: SERVICE,
  STREAMS_FULL: SERVICE,
}

t.test('every error of contract/errors.ts, if a service answers with it', async (t) => {
  for (const [code, { status }] of Object.entries(ERRORS)) {
    const blame = answered(status, code)
    t.equal(blame.whose, ANSWERED[code as ErrorCode], `${status} ${code}`)
    t.ok(blame.advice.length > 0)
  }
})

t.test("a service's own code: the status says whose fault it is", async (t) => {
  const whose = (status: number, code?: string) => answered(status, code).whose
  for (const status of [400, 409, 413, 422]) t.equal(whose(status, 'TOO_FEW_PAPERS'), INPUT, `${status}`)
  for (const status of [400, 409, 413, 422]) t.equal(whose(status), INPUT, `${status} without a code`)
  t.equal(whose(404, 'DATASET_NOT_FOUND'), INPUT)
  t.equal(whose(404), OPERATOR, 'nothing answers at that address')
  for (const status of [301, 401, 403, 405]) t.equal(whose(status, 'WHATEVER'), OPERATOR, `${status}`)
  for (const status of [408, 425, 429, 500, 501, 502, 503, 504]) {
    t.match(answered(status, 'TOO_FEW_PAPERS'), { whose: SERVICE, retry: true }, `${status}`)
    t.match(answered(status), { whose: SERVICE, retry: true }, `${status} without a code`)
  }
  t.equal(answered(422, 'TOO_FEW_PAPERS').retry, false)
  t.equal(whose(500, 'STAGE_NOT_KNOWN'), SERVICE, 'whatever it looks like')
  t.equal(whose(504, 'STAGE_UNREACHABLE'), SERVICE, "Stagecast's code, but the service said it")
})

t.test('an error line has no status: the service says only whether it would fail again', async (t) => {
  const line = (code: string, retryable: boolean) => blameOf({ code, retryable, service_status: 200 })
  t.match(line('MODEL_BUSY', true), { whose: SERVICE, retry: true })
  t.match(line('TOO_FEW_PAPERS', false), { whose: REJECTED, retry: false })
  t.match(line('INTERNAL_ERROR', false), { whose: REJECTED }, 'no bug of Stagecast')
  t.match(line('SOURCES_UNREACHABLE', true), { whose: SERVICE, advice: /databases/ })
  t.match(blameOf({ code: 'TOO_FEW_PAPERS', retryable: false }), { whose: REJECTED }, 'of an earlier release')
})

/** The error as the worker records it. */
function answered(status: number, code?: string) {
  const body = code === undefined ? '' : JSON.stringify({ detail: { code, message: 'why' } })
  const { answered: seen = 0, code: named, retryable } = failureOfStatus(status, {}, body)
  t.equal(seen, status)
  return blameOf({ code: named, retryable, service_status: seen })
}
