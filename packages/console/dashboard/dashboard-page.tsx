/** For administrators: what is running, what is waiting and why, and how each stage performs. */
import { duration, Failure, Heading, Loading, wholeSeconds } from '../page/parts.tsx'
import { StageTable } from './stage-table.tsx'
import { type Overview, useOverview } from './use-overview.ts'

export function DashboardPage() {
  const { overview, failure } = useOverview()
  return (
    <>
      <Heading>Dashboard</Heading>
      {failure && <Failure text={failure} />}
      {!overview && !failure && <Loading what="the figures" />}
      {overview && (
        <>
          <Waiting overview={overview} />
          <Queue overview={overview} />
          <Workers overview={overview} />
          <StageTable stages={overview.stages} />
        </>
      )}
    </>
  )
}

const BECAUSE: Record<string, string> = {
  'no-worker': 'Jobs are waiting because no worker is available. Start one: npm run start:worker.',
  'circuit-open':
    'Jobs are waiting because the service of their stage is failing: its circuit is open, and one job is tried from time to time.',
  busy: 'Jobs are waiting because all workers are busy. More workers would help.',
}

function Waiting({ overview: { waiting_because } }: { overview: Overview }) {
  const text =
    waiting_because === null ? '' : (BECAUSE[waiting_because] ?? `Jobs are waiting: ${waiting_because}.`)
  return (
    <div role="status">{text && <p class={waiting_because === 'busy' ? 'note' : 'alert'}>{text}</p>}</div>
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
        <Tile name="Waiting" value={String(queue.waiting)} under={oldest} />
        <Tile name="Running" value={String(queue.active)} under="right now" />
        <Tile name="To be retried" value={String(queue.delayed)} under="after a pause" />
        <Tile name="Throughput" value={String(perMinute)} under="jobs a minute" />
      </dl>
    </section>
  )
}

function Tile({ name, value, under }: { name: string; value: string; under: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
      <dd class="quiet">{under}</dd>
    </div>
  )
}

function Workers({ overview: { at, workers } }: { overview: Overview }) {
  return (
    <section aria-labelledby="workers">
      <h2 id="workers">
        Workers <span class="quiet">{workers.length}</span>
      </h2>
      {workers.length === 0 && <p>No worker is connected. Jobs start when one connects.</p>}
      <ul class="workers">
        {workers.map(({ id, concurrency, running, circuit, circuits, seen_at }) => (
          <li key={id}>
            <span class="code">{id}</span>
            <meter aria-label={`Jobs running on ${id}`} min={0} max={concurrency} value={running} />
            <span>
              {running} of {concurrency} running
            </span>
            <span class={`badge circuit-${circuit}`}>
              circuit {circuit}
              {circuits.length > 0 && ` (stage ${circuits.map(({ stage }) => stage).join(', ')})`}
            </span>
            <span class="quiet">seen {wholeSeconds(at - seen_at)} ago</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
