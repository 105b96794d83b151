/** Faults of the stage service. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobSnapshot } from '../../../contract/job.ts'
import { get } from '../../helpers/app.ts'
import type { FaultCase } from './case.ts'
import type { Order } from './ledger.ts'
import type { Scene } from './scene.ts'
import { answer, type Behaviour, first, refuse, tell, work } from './service.ts'

interface Expected {
  status: 'completed' | 'failed'
  code?: string
  /** How often the service is called. */
  calls: number
}

export const serviceCases: FaultCase[] = [
  {
    name: 'stage service down for 30 s',
    promise: 'jobs wait while the circuit is open and use up no attempts; all complete when it is back',
    scene: { env: { STAGE_JOB_ATTEMPTS: '3', BREAKER_FAILURES: '3', BREAKER_RESET_MS: '1000' } },
    async run(scene) {
      const { port } = scene.service
      await scene.service.stop()
      await scene.watchedOrders(20)
      await delay(30_000)
      await scene.service.start(port)
      await scene.settled()
      const ends = await Promise.all(scene.ledger.orders.map((order) => stateOf(scene, order)))
      const bad = ends.filter(({ status }) => status !== 'completed')
      if (bad.length > 0) throw new Error(`${bad.length} of 20 did not complete: ${bad[0]?.error?.code}`)
      return '20 jobs waited and completed'
    },
  },
  misbehaving('slow', 'the worker waits as long as heartbeats arrive', work(8, 700), {
    status: 'completed',
    calls: 1,
  }),
  misbehaving(
    'silent in the middle of an answer',
    'the call is aborted after STAGE_HEARTBEAT_TIMEOUT_MS and retried',
    first(1, (call) => {
      call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      tell(call, { type: 'progress', percent: 10 })
    }),
    { status: 'completed', calls: 2 },
  ),
  misbehaving(
    'silent from the beginning',
    'the call is aborted after STAGE_TIMEOUT_MS and retried',
    first(1, () => {}),
    { status: 'completed', calls: 2 },
    { STAGE_TIMEOUT_MS: '3000' },
  ),
  misbehaving(
    'endless',
    'the call is aborted after STAGE_TIMEOUT_MS even though data arrives',
    first(1, async (call) => {
      call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      for (let i = 0; !call.response.destroyed; i += 1) {
        tell(call, { type: 'progress', percent: i % 100 })
        await delay(50)
      }
    }),
    { status: 'completed', calls: 2 },
    { STAGE_TIMEOUT_MS: '3000' },
  ),
  misbehaving(
    'names another job, stage and workflow',
    'these fields of its answer are ignored',
    (call, service) =>
      void call.response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          JSON.stringify({ ...service.perform(call), job_id: 'another', stage: 19, workflow_id: 'another' }),
        ),
    { status: 'completed', calls: 1 },
  ),
  misbehaving(
    'says that it failed, with status 200',
    'the job fails at once',
    ({ response }) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"success":false,"artifacts":[]}'),
    { status: 'failed', code: 'STAGE_FAILED', calls: 1 },
  ),
  misbehaving(
    'says success in a word',
    'the answer is not usable: the job fails',
    ({ response }) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end('{"success":"true"}'),
    { status: 'failed', code: 'STAGE_ANSWER_INVALID', calls: 1 },
  ),
  misbehaving(
    'sends lines that are not JSON',
    'the answer is not usable: the job fails',
    ({ response }) =>
      void response
        .writeHead(200, { 'content-type': 'application/x-ndjson' })
        .end('{"type":"progress"\nhello\n'),
    { status: 'failed', code: 'STAGE_ANSWER_INVALID', calls: 1 },
  ),
  misbehaving(
    'ends without a result',
    'the answer is incomplete: retried',
    first(1, (call) => {
      call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      tell(call, { type: 'progress', percent: 50 })
      call.response.end()
    }),
    { status: 'completed', calls: 2 },
  ),
  misbehaving(
    'breaks the connection off',
    'the call is retried',
    first(2, ({ response }) => void response.socket?.resetAndDestroy()),
    { status: 'completed', calls: 3 },
  ),
  {
    name: 'stage service sends a line of 1 GB',
    promise: 'fails clearly at STAGE_MAX_RESULT_BYTES; the worker never buffers more',
    async run(scene) {
      const before = await memoryOf(scene)
      let sent = 0
      scene.service.behaviour = async ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        const piece = Buffer.alloc(1 << 20, 'x')
        for (; sent < 1024 && !response.destroyed; sent += 1)
          if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
      }
      const order = await scene.watchedOrder()
      await scene.settled()
      const { status, error } = await stateOf(scene, order)
      if (status !== 'failed' || error?.code !== 'STAGE_RESULT_TOO_LARGE')
        throw new Error(`${status} ${error?.code}`)
      const grown = Math.round(((await memoryOf(scene)).rss - before.rss) / 1e6)
      if (grown > 150) throw new Error(`the worker grew by ${grown} MB`)
      return `aborted after ${sent} MB; the worker grew by ${grown} MB`
    },
  },
  misbehaving('answers 404', 'the job fails at once', refuse(404), {
    status: 'failed',
    code: 'SAYS_404',
    calls: 1,
  }),
  misbehaving(
    'answers 429 with Retry-After',
    'the worker waits for as long as the service asks',
    first(1, refuse(429, { 'retry-after': '2' })),
    { status: 'completed', calls: 2 },
  ),
  misbehaving('answers 503', 'the call is retried', first(2, refuse(503)), { status: 'completed', calls: 3 }),
]

/** Runs one job and checks its outcome. */
function misbehaving(
  what: string,
  promise: string,
  behaviour: Behaviour,
  { status, code, calls }: Expected,
  env: Record<string, string> = {},
): FaultCase {
  return {
    name: `stage service ${what}`,
    promise,
    scene: { env: { STAGE_JOB_ATTEMPTS: '3', ...env } },
    async run(scene) {
      scene.service.behaviour = behaviour
      const order = await scene.watchedOrder()
      await scene.settled()
      const end = await stateOf(scene, order)
      const called = scene.service.calls.length
      if (end.status !== status || (code && end.error?.code !== code) || called !== calls)
        throw new Error(`${end.status} ${end.error?.code ?? ''} after ${called} calls`)
      if (end.stage !== order.stage || end.job_id !== order.job_id)
        throw new Error('the answer has renamed the job')
      scene.service.behaviour = answer
      await scene.watchedOrder()
      return `${status}${code ? ` with ${code}` : ''} after ${calls} call${calls === 1 ? '' : 's'}; the next job is fine`
    },
  }
}

function stateOf(scene: Scene, { urls }: Order): Promise<JobSnapshot> {
  return get<JobSnapshot>(scene.api.url + urls.status)
}

async function memoryOf({ worker }: Scene): Promise<{ rss: number }> {
  worker.child.send({ measure: true })
  const [memory] = await once(worker.child, 'message')
  return memory as { rss: number }
}
