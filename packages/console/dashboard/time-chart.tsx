/** A chart over time. Its library is loaded when a chart is first shown, so other pages do not pay for it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { useStore } from '../state/store.ts'
import { theme } from '../state/theme.ts'

export interface Series {
  label: string
  kind: 'bars' | 'line'
  /** Its colour: the class of its key in the caption. */
  tone: 'accent' | 'warm' | 'bad'
  /** One for each time; null where nothing is known. */
  values: readonly (number | null)[]
}

interface ChartProps {
  title: string
  /** What the chart shows, for those who do not see it. */
  summary: string
  /** Epoch ms; at least one. */
  times: readonly number[]
  /** From one time to the next, in ms; stays the same. */
  step: number
  /** Their number, kinds and tones stay the same. */
  series: readonly Series[]
}

const HEIGHT = 150
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })

export function TimeChart({ title, summary, times, step, series }: ChartProps) {
  const figure = useRef<HTMLElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const latest = useRef<uPlot.AlignedData>([[]])
  latest.current = [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])]
  const [plot, setPlot] = useState<uPlot | null>(null)
  const [pointed, setPointed] = useState<number | null>(null)
  const [missing, setMissing] = useState(false)

  useEffect(() => {
    let drawn: uPlot | undefined
    let over = false
    import('uplot').then(
      ({ default: Plot }) => {
        if (over || !figure.current || !box.current) return
        const options = optionsOf(Plot, figure.current, box.current.clientWidth, series, step, setPointed)
        // With an empty chart to begin with, its scale stays in 1970 until the next reading.
        drawn = new Plot(options, latest.current, box.current)
        setPlot(drawn)
      },
      () => over || setMissing(true),
    )
    return () => {
      over = true
      drawn?.destroy()
    }
  }, [])

  useEffect(() => {
    plot?.setData(latest.current)
  }, [plot, times, series])

  useEffect(() => {
    const element = box.current
    if (!plot || !element) return
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [plot])

  const chosen = useStore(theme)
  useEffect(() => {
    // A canvas does not follow the theme by itself.
    const redraw = () => plot?.redraw()
    redraw()
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', redraw)
    return () => system.removeEventListener('change', redraw)
  }, [plot, chosen])

  const at = pointed === null ? undefined : times[pointed]
  return (
    <figure class="chart" ref={figure}>
      <figcaption class="row">
        <h2>{title}</h2>
        {series.map(({ label, tone, values }) => (
          <span key={label} class="key quiet">
            <i class={tone} /> {label} {pointed !== null && at !== undefined && (values[pointed] ?? '–')}
          </span>
        ))}
        <span class="push quiet">{at !== undefined && clock.format(at)}</span>
      </figcaption>
      <div ref={box} role="img" aria-label={summary} />
      {missing && <p class="hint">The charts could not be loaded. Reload this page to see them.</p>}
    </figure>
  )
}

function optionsOf(
  Plot: typeof uPlot,
  figure: HTMLElement,
  width: number,
  series: readonly Series[],
  step: number,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  // Read at each drawing, because the theme may change. A canvas does not know custom properties.
  const quiet = () => getComputedStyle(figure).color
  const line = () => getComputedStyle(figure).borderTopColor
  const tone = (name: string) => () => getComputedStyle(figure.querySelector(`i.${name}`) ?? figure).color
  const axis = {
    stroke: quiet,
    font: '12px system-ui',
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  }
  // Half a bar; lines begin at the same place, so that charts beside each other have the same axis.
  const half = step / 2000
  return {
    width,
    height: HEIGHT,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { range: (_, from, to) => [from - half, to + half] },
      y: { range: (_, _from, to) => [0, Math.max(4, to * 1.1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 70,
        size: 28,
        // Labels have minutes only.
        incrs: [300, 600, 900, 1800, 3600, 7200, 10_800, 21_600],
        values: (_, splits) => splits.map((at) => clock.format(at * 1000)),
      },
      { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] },
    ],
    series: [
      {},
      ...series.map(({ kind, tone: name }) =>
        kind === 'bars'
          ? { width: 0, fill: tone(name), stroke: tone(name), paths: bars(Plot), points: { show: false } }
          : { width: 2, stroke: tone(name), points: { size: 5, fill: tone(name), filter: alone } },
      ),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  }
}

/** A known value between unknown ones has no line, so draw a point. */
const alone: uPlot.Series.Points.Filter = ({ data }, series) => {
  const values = data[series] ?? []
  return Array.from(values, (value, at) => ({ value, at })).flatMap(({ value, at }) =>
    value != null && values[at - 1] == null && values[at + 1] == null ? [at] : [],
  )
}

const bars = ({ paths }: typeof uPlot) => paths.bars?.({ size: [0.8, 24] }) as uPlot.Series.PathBuilder
