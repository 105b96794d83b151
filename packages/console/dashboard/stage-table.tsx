/** How each stage performs. Stages that nobody has run are left out. */
import { span } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import type { StageFigures } from './use-overview.ts'

export function StageTable({ stages }: { stages: StageFigures[] }) {
  const { stages: catalogue } = useStages()
  const run = stages.filter(
    ({ completed, failed, cancelled, retried }) => completed + failed + cancelled + retried > 0,
  )
  return (
    <section aria-labelledby="figures">
      <h2 id="figures">Stages</h2>
      {run.length === 0 ? (
        <p>No job has finished yet. Figures appear with the first one.</p>
      ) : (
        <section class="scroll" aria-label="Figures for each stage" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Stage</th>
                <th scope="col">Success</th>
                <th scope="col">Completed</th>
                <th scope="col">Failed</th>
                <th scope="col">Cancelled</th>
                <th scope="col">Retried</th>
                <th scope="col">Per minute</th>
                <th scope="col">Runs p50 / p95</th>
                <th scope="col">Waits p50 / p95</th>
              </tr>
            </thead>
            <tbody>
              {run.map((one) => (
                <tr key={one.stage}>
                  <th scope="row">
                    {one.stage} · {titleOf(catalogue, one.stage)}
                  </th>
                  <td>
                    <Rate rate={one.success_rate} />
                  </td>
                  <td>{one.completed}</td>
                  <td>{one.failed}</td>
                  <td>{one.cancelled}</td>
                  <td>{one.retried}</td>
                  <td>{one.per_minute}</td>
                  <Pair times={one.duration_ms} />
                  <Pair times={one.waiting_ms} />
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {run.some(({ duration_ms }) => !duration_ms) && (
        <p class="hint">Times appear once enough jobs of a stage have completed.</p>
      )}
    </section>
  )
}

function Rate({ rate }: { rate: number | null }) {
  if (rate === null) return <>–</>
  const percent = `${(rate * 100).toFixed(rate === 1 || rate === 0 ? 0 : 1)} %`
  return (
    <span class="rate">
      <span>{percent}</span>
      <meter aria-label="Success rate" min={0} max={1} value={rate} low={0.5} high={0.9} optimum={1} />
    </span>
  )
}

/** On two lines if one is too narrow. */
function Pair({ times }: { times: StageFigures['duration_ms'] }) {
  if (!times) return <td>–</td>
  return (
    <td class="pair">
      <span class="unbroken">{span(times.p50)} /</span> <span class="unbroken">{span(times.p95)}</span>
    </td>
  )
}
