/** GET /api/admin/overview: the state of queue and workers, for administrators. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import type { CatalogueStage } from '../../contract/catalogue.ts'
import { PausedQueues, WaitingBecause, WorkerState, waitingBecause } from '../../contract/fleet.ts'
import { StageNumber } from '../../contract/job.ts'
import { RunStatus } from '../../contract/run.ts'
import { QUEUE_NAME } from '../../journal/journal.ts'
import { endedLastMinute, type Histogram, quantile, type StageTally } from '../../journal/tally.ts'
import type { Fleet } from '../../plugins/fleet.ts'
import { BEARER, type Guarded, problems } from '../responses.ts'

const Count = Type.Integer({ minimum: 0 })
/** Fewest values for a quantile. The `estimate` of a job needs as many. */
const FEWEST = 20
const Spread = Type.Union([Type.Object({ p50: Type.Number(), p95: Type.Number() }), Type.Null()], {
  description: `null for fewer than ${FEWEST} jobs`,
})

const Overview = Type.Object(
  {
    at: Type.Integer({ description: 'epoch milliseconds' }),
    queue: Type.Object({
      waiting: Count,
      delayed: Count,
      active: Count,
      oldest_waiting_at: Type.Union([Type.Integer(), Type.Null()], {
        description: 'when the next waiting job was accepted, epoch milliseconds',
      }),
    }),
    runs: Type.Object(
      Object.fromEntries(RunStatus.anyOf.map(({ const: status }) => [status, Count])) as Record<
        RunStatus,
        typeof Count
      >,
      { description: 'workflow runs by status; ended runs count even after they have expired' },
    ),
    sign_offs: Type.Object({
      waiting: Count,
      oldest_at: Type.Union([Type.Integer(), Type.Null()], {
        description: 'when the step that has waited longest began to wait, epoch milliseconds',
      }),
    }),
    paused: PausedQueues,
    workers: Type.Array(WorkerState),
    catalogue: Type.String({
      description:
        'digest of the stages of this API process; a worker with a different one has a different catalogue',
    }),
    waiting_because: WaitingBecause,
    stages: Type.Array(
      Type.Object({
        stage: StageNumber,
        slug: Type.String(),
        completed: Count,
        failed: Count,
        cancelled: Count,
        retried: Type.Integer({ description: 'attempts followed by another attempt' }),
        success_rate: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
          description: 'completed jobs as a share of completed and failed ones',
        }),
        per_minute: Type.Number({ description: 'jobs that ended in the last minute' }),
        duration_ms: Spread,
        waiting_ms: Spread,
      }),
    ),
  },
  { title: 'Overview' },
)

const schema = {
  operationId: 'getOverview',
  summary: 'Get the state of the queue, for administrators',
  description:
    'Counts cover all processes since the queue was created. Quantiles are estimated from histogram buckets.',
  tags: ['operation'],
  security: BEARER,
  response: { 200: Overview, ...problems(401, 403, 429, 503) },
}

const routes: FastifyPluginAsyncTypebox<Guarded> = async (app, { guards }) => {
  app.get('/api/admin/overview', { schema, onRequest: guards }, async (_request, reply) => {
    reply.header('cache-control', 'private, no-cache')
    return toOverview(await app.stagecast.fleet.read(), app.stagecast.catalogue.stages)
  })
}

/** The document for administrators. */
function toOverview(
  { at, queue, paused, workers, catalogue: digest, tallies, runs }: Fleet,
  catalogue: readonly CatalogueStage[],
): Static<typeof Overview> {
  return {
    at,
    queue: {
      waiting: queue.waiting,
      delayed: queue.delayed,
      active: queue.active,
      oldest_waiting_at: queue.oldestWaitingAt,
    },
    runs: runs.counts,
    sign_offs: { waiting: runs.signOffs.waiting, oldest_at: runs.signOffs.oldestAt },
    paused: [...paused],
    workers,
    catalogue: digest,
    waiting_because: waitingBecause({ ...queue, paused: paused.includes(QUEUE_NAME) }, workers),
    // The first entry counts jobs without a stage.
    stages: catalogue.map(({ stage, slug }, i) => ({
      stage,
      slug,
      ...figures(tallies[i + 1] as StageTally, at),
    })),
  }
}

function figures(tally: StageTally, now: number) {
  const { completed, failed, cancelled, retried, lost, handedOver } = tally
  return {
    completed,
    failed,
    cancelled,
    retried: retried + lost + handedOver,
    success_rate: completed + failed > 0 ? completed / (completed + failed) : null,
    per_minute: endedLastMinute(tally, now),
    duration_ms: spread(tally.duration),
    waiting_ms: spread(tally.waiting),
  }
}

function spread(histogram: Histogram): { p50: number; p95: number } | null {
  if (histogram.counts.reduce((sum, count) => sum + count, 0) < FEWEST) return null
  const [p50, p95] = [quantile(histogram, 0.5), quantile(histogram, 0.95)]
  return p50 === null || p95 === null ? null : { p50, p95 }
}

export default fp(routes, { name: 'overview', encapsulate: true, dependencies: ['catalogue', 'fleet'] })
