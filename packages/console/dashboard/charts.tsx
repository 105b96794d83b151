/** What ended in the last hours, and how many jobs waited and ran. */
import { useMemo, useState } from 'preact/hooks'
import type { HistoryPoint } from '../../../contract/history.ts'
import { type Series, TimeChart } from './time-chart.tsx'
import { type History, useHistory } from './use-history.ts'

const CHOICES = [1, 6, 24]

export function Charts() {
  const [hours, setHours] = useState(6)
  const history = useHistory(hours)
  return (
    <section aria-labelledby="history">
      <div class="row">
        <h2 id="history">History</h2>
        <fieldset class="switch push">
          <legend class="unseen">How far back</legend>
          {CHOICES.map((one) => (
            <label key={one}>
              <input type="radio" name="hours" checked={one === hours} onChange={() => setHours(one)} />
              <span>{spanOf(one)}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {/* The charts of another time are other charts. */}
      <div class="charts" key={history?.hours}>
        {history && <Ended history={history} />}
        {history && <Depth history={history} />}
      </div>
    </section>
  )
}

const spanOf = (hours: number) => (hours === 1 ? '1 hour' : `${hours} hours`)
const since = (hours: number) => (hours === 1 ? 'in the last hour' : `in the last ${hours} hours`)

function Ended({ history }: { history: History }) {
  const { points, step_ms, hours } = history
  const sum = (name: 'ended' | 'failed') => points.reduce((all, point) => all + (point[name] ?? 0), 0)
  const series = useSeries(points, [
    ['ended', 'ended', 'bars', 'accent'],
    // In front of those that ended, because they are a part of them.
    ['failed', 'of them failed', 'bars', 'bad'],
  ])
  const minutes = step_ms / 60_000
  const by = minutes === 1 ? 'per minute' : `per ${minutes} minutes`
  const summary = `Jobs ${by}: ${since(hours)} ${sum('ended')} ended, ${sum('failed')} of them failed.`
  return <TimeChart title={`Finished jobs, ${by}`} summary={summary} step={step_ms} {...series} />
}

function Depth({ history }: { history: History }) {
  const { points, step_ms, hours } = history
  const series = useSeries(points, [
    ['waiting', 'waiting', 'line', 'warm'],
    ['active', 'running', 'line', 'accent'],
  ])
  const most = Math.max(0, ...points.map(({ waiting }) => waiting ?? 0))
  const summary = `The queue: ${since(hours)} at most ${most} jobs waited.`
  return <TimeChart title="Waiting and running jobs, maximum" summary={summary} step={step_ms} {...series} />
}

type Line = [of: 'waiting' | 'active' | 'ended' | 'failed', string, Series['kind'], Series['tone']]

function useSeries(points: readonly HistoryPoint[], lines: readonly Line[]) {
  return useMemo(
    () => ({
      times: points.map(({ at }) => at),
      series: lines.map(([of, label, kind, tone]) => ({
        label,
        kind,
        tone,
        values: points.map((point) => point[of]),
      })),
    }),
    [points],
  )
}
