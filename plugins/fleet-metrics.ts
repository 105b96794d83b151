/** Metrics of the whole fleet, read from Redis. Every API process reports the same values. */
import type { MetricType, MetricValue, MetricValueWithName, Registry } from 'prom-client'
import { QUEUE_NAME } from '../journal/journal.ts'
import { BUCKETS_MS, type StageTally } from '../journal/tally.ts'
import { RUN_QUEUE_NAME } from '../runs/queue.ts'
import type { Fleet } from './fleet.ts'
import { histogramValues } from './histogram.ts'

type Value = MetricValue<string> | MetricValueWithName<string>

/** Registers the metrics. If `read` returns null, Redis did not answer and they are omitted. */
export function addFleetMetrics(registry: Registry, read: () => Promise<Fleet | null>): void {
  const add = (
    name: string,
    type: `${MetricType}` & string,
    help: string,
    values: (fleet: Fleet) => Value[],
  ) => {
    const get = async () => {
      const fleet = await read()
      return { name, help, type, values: fleet ? values(fleet) : [] }
    }
    registry.registerMetric({ name, help, type, get } as never)
  }
  const perStage = (values: (tally: StageTally) => Value[]) => (fleet: Fleet) =>
    fleet.tallies.flatMap((tally) => {
      // Stage 0 counts jobs without a valid stage; normally there are none.
      const unused =
        tally.stage === 0 && tally.attempts + tally.completed + tally.failed + tally.cancelled === 0
      const labels = { stage: tally.stage === 0 ? 'other' : String(tally.stage) }
      return unused ? [] : values(tally).map((one) => ({ ...one, labels: { ...labels, ...one.labels } }))
    })

  add(
    'stagecast_jobs_total',
    'counter',
    'Jobs that ended, by outcome',
    perStage(({ completed, failed, cancelled }) => labelled('outcome', { completed, failed, cancelled })),
  )
  add(
    'stagecast_attempts_total',
    'counter',
    'Attempts started; every start of a job counts',
    perStage(({ attempts }) => [{ value: attempts, labels: {} }]),
  )
  add(
    'stagecast_retries_total',
    'counter',
    'Attempts that did not end their job: they failed, lost their worker, or were handed over',
    perStage(({ retried, lost, handedOver }) =>
      labelled('reason', { failed: retried, lost, handed_over: handedOver }),
    ),
  )
  add(
    'stagecast_job_duration_seconds',
    'histogram',
    'Duration of attempts that completed their job',
    perStage(({ duration }) => histogramValues('stagecast_job_duration_seconds', BUCKETS_MS, duration)),
  )
  add(
    'stagecast_job_waiting_seconds',
    'histogram',
    'Time from acceptance of a job to its first start',
    perStage(({ waiting }) => histogramValues('stagecast_job_waiting_seconds', BUCKETS_MS, waiting)),
  )
  add('stagecast_queue_jobs', 'gauge', 'Unfinished jobs in the queue', ({ queue }) => {
    const { waiting, delayed, active } = queue
    return labelled('state', { waiting, delayed, active })
  })
  add(
    'stagecast_queue_oldest_waiting_seconds',
    'gauge',
    'Time since the next waiting job was accepted; 0 if none waits',
    ({ queue, at }) => [{ value: ageOf(queue.oldestWaitingAt, at), labels: {} }],
  )
  add(
    'stagecast_queue_paused',
    'gauge',
    '1 if the queue is paused, so that none of its jobs start',
    ({ paused }) =>
      [QUEUE_NAME, RUN_QUEUE_NAME].map((queue) => ({
        value: paused.includes(queue) ? 1 : 0,
        labels: { queue },
      })),
  )
  add('stagecast_runs', 'gauge', 'Workflow runs that have not ended, by state', ({ runs }) => {
    const { running, waiting, cancelling } = runs.counts
    return labelled('state', { running, waiting, cancelling })
  })
  add('stagecast_runs_total', 'counter', 'Workflow runs that ended, by outcome', ({ runs }) => {
    const { running: _running, waiting: _waiting, cancelling: _cancelling, ...ended } = runs.counts
    return labelled('outcome', ended)
  })
  add('stagecast_sign_offs_waiting', 'gauge', 'Steps of runs that wait for a sign-off', ({ runs }) => [
    { value: runs.signOffs.waiting, labels: {} },
  ])
  add(
    'stagecast_sign_offs_oldest_waiting_seconds',
    'gauge',
    'Time since the step that has waited longest for its sign-off began to wait; 0 if none waits',
    ({ runs, at }) => [{ value: ageOf(runs.signOffs.oldestAt, at), labels: {} }],
  )
  add('stagecast_workers', 'gauge', 'Live worker processes by circuit state', ({ workers }) => {
    const count = (state: string) => workers.filter(({ circuit }) => circuit === state).length
    return labelled('circuit', {
      closed: count('closed'),
      open: count('open'),
      half_open: count('half-open'),
    })
  })
  add(
    'stagecast_stage_workers_cut_off',
    'gauge',
    'Live worker processes whose circuit for the stage is open, so that they do not call its service',
    ({ workers, tallies }) =>
      tallies
        .filter(({ stage }) => stage !== 0)
        .map(({ stage }) => ({
          value: workers.filter(({ circuits }) => isOpen(circuits, stage)).length,
          labels: { stage: String(stage) },
        })),
  )
  add(
    'stagecast_worker_places',
    'gauge',
    'Jobs that all live workers together can run at the same time',
    ({ workers }) => [{ value: workers.reduce((sum, { concurrency }) => sum + concurrency, 0), labels: {} }],
  )
}

function isOpen(circuits: Fleet['workers'][0]['circuits'], stage: number): boolean {
  return circuits.some((one) => one.stage === stage && one.state === 'open')
}

/** In seconds; clocks may differ. */
function ageOf(since: number | null, at: number): number {
  return since === null ? 0 : Math.max(0, (at - since) / 1000)
}

function labelled(label: string, values: Record<string, number>): MetricValue<string>[] {
  return Object.entries(values).map(([key, value]) => ({ value, labels: { [label]: key } }))
}
