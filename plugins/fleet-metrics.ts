/** Metrics of the whole fleet, as Redis has them: every API process tells the same figures. */
import type { MetricType, MetricValue, MetricValueWithName, Registry } from 'prom-client'
import { BUCKETS_MS, type StageTally } from '../journal/tally.ts'
import type { Fleet } from './fleet.ts'
import { histogramValues } from './histogram.ts'

type Value = MetricValue<string> | MetricValueWithName<string>

/** Registers them; `read` gives null when Redis does not answer, and the figures are then left out. */
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
      // Stage 0 is for what should not be there.
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
    'Attempts that began; every start of a job counts',
    perStage(({ attempts }) => [{ value: attempts, labels: {} }]),
  )
  add(
    'stagecast_retries_total',
    'counter',
    'Attempts that ended without settling their job: they failed, lost their worker, or were handed over',
    perStage(({ retried, lost, handedOver }) =>
      labelled('reason', { failed: retried, lost, handed_over: handedOver }),
    ),
  )
  add(
    'stagecast_job_duration_seconds',
    'histogram',
    'How long the attempts took that completed their job',
    perStage(({ duration }) => histogramValues('stagecast_job_duration_seconds', BUCKETS_MS, duration)),
  )
  add(
    'stagecast_job_waiting_seconds',
    'histogram',
    'How long jobs waited from being accepted to their first start',
    perStage(({ waiting }) => histogramValues('stagecast_job_waiting_seconds', BUCKETS_MS, waiting)),
  )
  add('stagecast_queue_jobs', 'gauge', 'Jobs in the queue that have not ended', ({ queue }) => {
    const { waiting, delayed, active } = queue
    return labelled('state', { waiting, delayed, active })
  })
  add(
    'stagecast_queue_oldest_waiting_seconds',
    'gauge',
    'Age of the job that is next in line, since it was accepted; 0 when none waits',
    ({ queue, at }) => {
      const age = queue.oldestWaitingAt === null ? 0 : (at - queue.oldestWaitingAt) / 1000
      return [{ value: Math.max(0, age), labels: {} }]
    },
  )
  add(
    'stagecast_workers',
    'gauge',
    'Worker processes alive, by the state of their circuit',
    ({ workers }) => {
      const count = (state: string) => workers.filter(({ circuit }) => circuit === state).length
      return labelled('circuit', {
        closed: count('closed'),
        open: count('open'),
        half_open: count('half-open'),
      })
    },
  )
  add(
    'stagecast_stage_workers_cut_off',
    'gauge',
    'Worker processes alive whose circuit for the stage is open: they do not call its service',
    ({ workers, tallies }) =>
      tallies
        .filter(({ stage }) => stage !== 0)
        .map(({ stage }) => ({
          value: workers.filter(({ circuits }) => isOpen(circuits, stage)).length,
          labels: { stage: String(stage) },
        })),
  )
  add('stagecast_worker_places', 'gauge', 'Jobs that the workers alive can run at a time', ({ workers }) => [
    { value: workers.reduce((sum, { concurrency }) => sum + concurrency, 0), labels: {} },
  ])
}

function isOpen(circuits: Fleet['workers'][0]['circuits'], stage: number): boolean {
  return circuits.some((one) => one.stage === stage && one.state === 'open')
}

function labelled(label: string, values: Record<string, number>): MetricValue<string>[] {
  return Object.entries(values).map(([key, value]) => ({ value, labels: { [label]: key } }))
}
