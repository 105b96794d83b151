/** The workers of the queue, in words. */
import { wholeSeconds } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import type { Overview, Worker } from './use-overview.ts'

export function Workers({ overview: { at, workers, catalogue } }: { overview: Overview }) {
  const places = workers.reduce((sum, { concurrency }) => sum + concurrency, 0)
  const running = workers.reduce((sum, one) => sum + one.running, 0)
  return (
    <section aria-labelledby="workers">
      <h2 id="workers">Workers</h2>
      {workers.length === 0 ? (
        <p>No worker is connected. Jobs start when one connects: npm run start:worker.</p>
      ) : (
        <p class="quiet">
          {workers.length === 1 ? 'One worker' : `${workers.length} workers`}: {running} of {places} slots in
          use.
        </p>
      )}
      <ul class="workers">
        {workers.map((worker) => (
          <OneWorker key={worker.id} worker={worker} at={at} catalogue={catalogue} />
        ))}
      </ul>
    </section>
  )
}

function OneWorker({ worker, at, catalogue }: { worker: Worker; at: number; catalogue: string }) {
  const { stages } = useStages()
  const { id, concurrency, running, circuits, seen_at } = worker
  const [host = id, process] = id.split(':')
  const name = process ? `${host}, process ${process}` : host
  return (
    <li>
      <span title={id}>{name}</span>
      <meter aria-label={`Jobs running on ${name}`} min={0} max={concurrency} value={running} />
      <span>
        {running} of {concurrency} running
      </span>
      <span class="quiet">seen {wholeSeconds(at - seen_at)} ago</span>
      {worker.catalogue !== null && worker.catalogue !== catalogue && (
        <p class="fault">
          Has a different catalogue from the API: compare their STAGES_FILE and restart the outdated one.
        </p>
      )}
      {circuits.map(({ stage, state }) => (
        <p key={stage} class={state === 'open' ? 'fault' : 'hint'}>
          {state === 'open'
            ? `Does not call stage ${stage} (${titleOf(stages, stage)}) at the moment: its service keeps failing. It tries again soon.`
            : `Tries stage ${stage} (${titleOf(stages, stage)}) again after failures of its service.`}
        </p>
      ))}
    </li>
  )
}
