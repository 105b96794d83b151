/** The PRISMA flow as a picture: records that stay go down, records that are left out go right. */
import { Store, useStore } from '../state/store.ts'
import { type Box, heightOf, inWords, LINE, type Measures, NARROW, rowsOf, WIDE } from './flow-boxes.ts'
import type { FlowNumbers } from './read-flow.ts'

const GAP = 34

const phone = matchMedia('(max-width: 34rem)')
const isNarrow = new Store(phone.matches)
phone.addEventListener('change', () => isNarrow.set(phone.matches))

export function Flow({ flow }: { flow: FlowNumbers }) {
  const measures = useStore(isNarrow) ? NARROW : WIDE
  const { width, box: boxWidth } = measures
  const asideX = width - boxWidth
  let y = 0
  const placed = rowsOf(flow, measures).map((row) => {
    const at = y
    const height = Math.max(heightOf(row.main), row.aside ? heightOf(row.aside) : 0)
    y += height + GAP
    return { row, y: at, height }
  })
  const total = y - GAP
  return (
    <figure class="flow">
      <svg viewBox={`-1 -1 ${width + 2} ${total + 2}`} role="img" aria-labelledby="flow-title flow-text">
        <title id="flow-title">PRISMA flow of the records</title>
        <desc id="flow-text">{inWords(flow)}</desc>
        {placed.map(({ row, y: top, height }, at) => (
          <g key={row.main.title}>
            <BoxView
              box={row.main}
              measures={measures}
              x={0}
              y={top}
              height={height}
              kind={at === placed.length - 1 ? 'kept' : 'main'}
            />
            {row.aside && (
              <>
                <BoxView
                  box={row.aside}
                  measures={measures}
                  x={asideX}
                  y={top}
                  height={height}
                  kind="aside"
                />
                <Arrow from={[boxWidth, top + height / 2]} to={[asideX, top + height / 2]} />
              </>
            )}
            {at < placed.length - 1 && (
              <Arrow from={[boxWidth / 2, top + height]} to={[boxWidth / 2, top + height + GAP]} />
            )}
          </g>
        ))}
      </svg>
      <figcaption>{inWords(flow)}</figcaption>
    </figure>
  )
}

function BoxView({
  box,
  measures: { box: width, margin },
  x,
  y,
  height,
  kind,
}: {
  box: Box
  measures: Measures
  x: number
  y: number
  height: number
  kind: string
}) {
  return (
    <g class={`flow-${kind}`}>
      <rect x={x} y={y} width={width} height={height} rx={8} />
      <text x={x + margin} y={y + 27} class="flow-head">
        {box.title}
      </text>
      <text x={x + width - margin} y={y + 27} class="flow-count">
        {box.count}
      </text>
      {box.lines.map((line, at) => (
        <text key={`${at} ${line}`} x={x + margin} y={y + 27 + (at + 1) * LINE + 2} class="flow-line">
          {line}
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
