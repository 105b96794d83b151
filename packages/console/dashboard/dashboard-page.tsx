/** For administrators: what is running, what is waiting and why, what failed, and how each stage performs. */
import { duration, Failure, Heading, Loading } from '../page/parts.tsx'
import { Charts } from './charts.tsx'
import { Failures } from './failures.tsx'
import { Pause } from './pause.tsx'
import { StageTable } from './stage-table.tsx'
import { type Overview, useOverview } from './use-overview.ts'
import { Workers } from './workers.tsx'

export function DashboardPage() {
  const { overview, failure, setPaused } = useOverview()
  return (
    <>
      <Heading>Dashboard</Heading>
      {failure && <Failure text={failure} />}
      {!overview && !failure && <Loading what="the figures" />}
      {overview && (
        <>
          <Waiting overview={overview} />
          <Queue overview={overview} />
          <Pause paused={overview.paused.length > 0} onChange={setPaused} />
          <Charts />
          <Failures count={overview.stages.reduce((sum, { failed }) => sum + failed, 0)} />
          <Workers overview={overview} />
          <StageTable stages={overview.stages} />
        </>
      )}
    </>
  )
}

const BECAUSE: Record<string, string> = {
  paused: 'Jobs are waiting because the queue is paused.',
  'no-worker': 'Jobs are waiting because no worker is available. Start one: npm run start:worker.',
  'circuit-open':
    'Jobs are waiting because the service of their stage keeps failing. From time to time, one job is tried.',
  busy: 'Jobs are waiting because all workers are busy. More workers would help.',
}

function Waiting({ overview: { waiting_because } }: { overview: Overview }) {
  const text =
    waiting_because === null ? '' : (BECAUSE[waiting_because] ?? `Jobs are waiting: ${waiting_because}.`)
  return (
    <div role="status">
      {text && <p class={['busy', 'paused'].includes(waiting_because ?? '') ? 'note' : 'alert'}>{text}</p>}
    </div>
  )
}

function Queue({ overview: { at, queue, stages } }: { overview: Overview }) {
  const perMinute = stages.reduce((sum, { per_minute }) => sum + per_minute, 0)
  const oldest =
    queue.oldest_waiting_at === null ? 'none waiting' : `oldest ${duration(at - queue.oldest_waiting_at)}`
  return (
    <section aria-labelledby="queue">
      <h2 id="queue" class="unseen">
        Queue
      </h2>
      <dl class="tiles">
        <Tile name="Waiting" value={queue.waiting} under={oldest} />
        <Tile name="Running" value={queue.active} under="right now" />
        <Tile name="To be retried" value={queue.delayed} under="after a delay" />
        <Tile name="Throughput" value={Math.round(perMinute * 10) / 10} under="jobs a minute" />
      </dl>
    </section>
  )
}

function Tile({ name, value, under }: { name: string; value: number; under: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
      <dd class="quiet">{under}</dd>
    </div>
  )
}
