/** What ended in the last hour, and how the queue has grown or shrunk while this page was open. */
import { useMemo } from 'preact/hooks'
import { type Series, TimeChart } from './time-chart.tsx'
import type { Overview, Sample } from './use-overview.ts'

export function Charts({ overview, samples }: { overview: Overview; samples: readonly Sample[] }) {
  return (
    <div class="charts">
      <Ended minutes={overview.last_hour} />
      <Depth samples={samples} />
    </div>
  )
}

function Ended({ minutes }: { minutes: Overview['last_hour'] }) {
  const sum = (name: 'ended' | 'failed') => minutes.reduce((all, minute) => all + minute[name], 0)
  const times = useMemo(() => minutes.map(({ at }) => at), [minutes])
  const series = useMemo<Series[]>(
    () => [
      { label: 'ended', kind: 'bars', tone: 'accent', values: minutes.map(({ ended }) => ended) },
      // In front of those that ended, because they are a part of them.
      { label: 'of them failed', kind: 'bars', tone: 'bad', values: minutes.map(({ failed }) => failed) },
    ],
    [minutes],
  )
  const summary = `Jobs by minute: in the last hour ${sum('ended')} ended, ${sum('failed')} of them failed.`
  return <TimeChart title="Last hour, by minute" summary={summary} times={times} series={series} />
}

function Depth({ samples }: { samples: readonly Sample[] }) {
  const times = useMemo(() => samples.map(({ at }) => at), [samples])
  const series = useMemo<Series[]>(
    () => [
      { label: 'waiting', kind: 'line', tone: 'warm', values: samples.map(({ waiting }) => waiting) },
      { label: 'running', kind: 'line', tone: 'accent', values: samples.map(({ active }) => active) },
    ],
    [samples],
  )
  const known = samples.flatMap(({ waiting }) => waiting ?? [])
  const summary = `Since this page was opened at most ${Math.max(0, ...known)} jobs waited; ${known.at(-1) ?? 0} wait now.`
  return <TimeChart title="Since you opened this page" summary={summary} times={times} series={series} />
}
