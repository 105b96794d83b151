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
  const removed = flow.removed.reduce((sum, [, count]) => sum + count, 0)
  const left = flow.included + flow.uncertain
  return [
    {
      main: box('Identified', flow.identified, flow.bySource),
      aside: aside('Removed before', removed, flow.removed),
    },
    { main: box('Screened', flow.screened), aside: aside('Excluded', flow.excluded, flow.excludedBy) },
    ...(flow.uncertain > 0
      ? [{ main: box('Not excluded', left), aside: aside('Uncertain', flow.uncertain, flow.uncertainBy) }]
      : []),
    { main: box('Included', flow.included), aside: null },
  ]
}

function box(title: string, count: number, parts: [string, number][] = []): Box {
  return { title, count, lines: parts.map(([name, part]) => `${name}: ${part}`) }
}

function aside(title: string, count: number, parts: [string, number][]): Box | null {
  return count > 0 ? box(title, count, parts) : null
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
  const listed = (parts: [string, number][]) => parts.map(([name, count]) => `${name} ${count}`).join(', ')
  const why = (parts: [string, number][]) => (parts.length > 0 ? ` (${listed(parts)})` : '')
  return [
    `${flow.identified} records were identified${why(flow.bySource)}`,
    flow.removed.length > 0 && `removed before screening: ${listed(flow.removed)}`,
    `${flow.screened} screened`,
    `${flow.excluded} excluded${why(flow.excludedBy)}`,
    flow.uncertain > 0 && `${flow.uncertain} uncertain${why(flow.uncertainBy)}`,
    `${flow.included} included`,
  ]
    .filter(Boolean)
    .join(', ')
    .concat('.')
}
