/** The PRISMA flow as a picture: the way down is what stays, to the right goes what is left out. */
import type { FlowNumbers } from './read-flow.ts'

interface Box {
  title: string
  count: number
  lines: string[]
}

interface Row {
  main: Box
  aside: Box | null
}

const WIDTH = 560
const BOX = 250
const ASIDE_X = WIDTH - BOX
const LINE = 20
const GAP = 34

export function Flow({ flow }: { flow: FlowNumbers }) {
  let y = 0
  const placed = rowsOf(flow).map((row) => {
    const at = y
    const height = Math.max(heightOf(row.main), row.aside ? heightOf(row.aside) : 0)
    y += height + GAP
    return { row, y: at, height }
  })
  const total = y - GAP
  return (
    <figure class="flow">
      <svg viewBox={`-1 -1 ${WIDTH + 2} ${total + 2}`} role="img" aria-labelledby="flow-title flow-text">
        <title id="flow-title">PRISMA flow of the records</title>
        <desc id="flow-text">{inWords(flow)}</desc>
        {placed.map(({ row, y: top, height }, at) => (
          <g key={row.main.title}>
            <BoxView
              box={row.main}
              x={0}
              y={top}
              height={height}
              kind={at === placed.length - 1 ? 'kept' : 'main'}
            />
            {row.aside && (
              <>
                <BoxView box={row.aside} x={ASIDE_X} y={top} height={height} kind="aside" />
                <Arrow from={[BOX, top + height / 2]} to={[ASIDE_X, top + height / 2]} />
              </>
            )}
            {at < placed.length - 1 && (
              <Arrow from={[BOX / 2, top + height]} to={[BOX / 2, top + height + GAP]} />
            )}
          </g>
        ))}
      </svg>
      <figcaption>{inWords(flow)}</figcaption>
    </figure>
  )
}

function rowsOf(flow: FlowNumbers): Row[] {
  const listed = (entries: [string, number][]) => entries.map(([name, count]) => `${name}: ${count}`)
  const leftOut = (title: string, count: number, entries: [string, number][] = []): Box | null =>
    count > 0 ? { title, count, lines: listed(entries) } : null
  return [
    {
      main: { title: 'Identified', count: flow.identified, lines: listed(flow.bySource) },
      aside: leftOut('Duplicates', flow.duplicates),
    },
    {
      main: { title: 'Screened', count: flow.screened, lines: [] },
      aside: leftOut('Excluded', flow.excluded, flow.byReason),
    },
    ...(flow.uncertain > 0
      ? [
          {
            main: { title: 'Not excluded', count: flow.included + flow.uncertain, lines: [] },
            aside: leftOut('Uncertain', flow.uncertain),
          },
        ]
      : []),
    { main: { title: 'Included', count: flow.included, lines: [] }, aside: null },
  ]
}

function heightOf(box: Box): number {
  return 42 + box.lines.length * LINE + (box.lines.length > 0 ? 6 : 0)
}

function BoxView({
  box,
  x,
  y,
  height,
  kind,
}: {
  box: Box
  x: number
  y: number
  height: number
  kind: string
}) {
  return (
    <g class={`flow-${kind}`}>
      <rect x={x} y={y} width={BOX} height={height} rx={8} />
      <text x={x + 14} y={y + 27} class="flow-head">
        {box.title}
      </text>
      <text x={x + BOX - 14} y={y + 27} class="flow-count">
        {box.count}
      </text>
      {box.lines.map((line, at) => (
        <text key={line} x={x + 14} y={y + 27 + (at + 1) * LINE + 2} class="flow-line">
          {line.length > 34 ? `${line.slice(0, 33)}…` : line}
        </text>
      ))}
    </g>
  )
}

function Arrow({ from: [x1, y1], to: [x2, y2] }: { from: [number, number]; to: [number, number] }) {
  const down = x1 === x2
  const head = down
    ? `M${x2 - 5} ${y2 - 8}L${x2} ${y2 - 1}L${x2 + 5} ${y2 - 8}`
    : `M${x2 - 8} ${y2 - 5}L${x2 - 1} ${y2}L${x2 - 8} ${y2 + 5}`
  return <path class="flow-arrow" d={`M${x1} ${y1}L${down ? x2 : x2 - 1} ${down ? y2 - 1 : y2}${head}`} />
}

function inWords(flow: FlowNumbers): string {
  const reasons = flow.byReason.map(([name, count]) => `${name} ${count}`).join(', ')
  return [
    `${flow.identified} records match the question`,
    flow.duplicates > 0 && `${flow.duplicates} are duplicates`,
    `${flow.screened} were screened`,
    `${flow.excluded} excluded${reasons && ` (${reasons})`}`,
    flow.uncertain > 0 && `${flow.uncertain} uncertain`,
    `${flow.included} included`,
  ]
    .filter(Boolean)
    .join(', ')
    .concat('.')
}
