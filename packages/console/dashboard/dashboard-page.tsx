/** For administrators: what runs, what waits and why, and how each stage does. */
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
  'no-worker': 'Jobs wait because no worker is there. Start one: npm run start:worker.',
  'circuit-open':
    'Jobs wait because the service of their stage fails: its circuit is open, and one job is tried now and then.',
  busy: 'Jobs wait because all workers are busy. More workers would help.',
}

function Waiting({ overview: { waiting_because } }: { overview: Overview }) {
  const text = waiting_because === null ? '' : (BECAUSE[waiting_because] ?? `Jobs wait: ${waiting_because}.`)
  return (
    <div role="status">{text && <p class={waiting_because === 'busy' ? 'note' : 'alert'}>{text}</p>}</div>
  )
}

function Queue({ overview: { at, queue, stages } }: { overview: Overview }) {
  const perMinute = stages.reduce((sum, { per_minute }) => sum + per_minute, 0)
  const oldest =
    queue.oldest_waiting_at === null ? 'none waits' : `oldest ${duration(at - queue.oldest_waiting_at)}`
  return (
    <section aria-labelledby="queue">
      <h2 id="queue" class="unseen">
        Queue
      </h2>
      <dl class="tiles">
        <Tile name="Waiting" value={String(queue.waiting)} under={oldest} />
        <Tile name="Running" value={String(queue.active)} under="at this moment" />
        <Tile name="To be tried again" value={String(queue.delayed)} under="after a pause" />
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
      {workers.length === 0 && <p>No worker has announced itself. Nothing is run until one does.</p>}
      <ul class="workers">
        {workers.map(({ id, concurrency, running, circuit, circuits, seen_at }) => (
          <li key={id}>
            <span class="code">{id}</span>
            <meter aria-label={`Jobs that ${id} runs`} min={0} max={concurrency} value={running} />
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
