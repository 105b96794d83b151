/** The PRISMA 2020 flow diagram as a self-contained SVG for light and dark backgrounds and screen readers. */
import { plural } from '../count.ts'
import type { prisma } from './prisma.ts'

type Flow = ReturnType<typeof prisma>

interface Box {
  x: number
  y: number
  lines: string[]
}

const [WIDTH, BOX, LINE, PAD, GAP] = [760, 350, 18, 10, 26]
const RIGHT = WIDTH - BOX - 10

export function prismaSvg(flow: Flow): string {
  const { identification, screening, included } = flow
  const removed = identification.records_removed_before_screening
  const rows: [left: string[], right: string[] | null][] = [
    [
      [`Records identified: ${identification.records_identified}`, ...each(identification.by_source)],
      [
        `Not read, because of a limit: ${identification.records_unread}`,
        ...each(identification.unread_by_source),
        ...(identification.sources_missing.length > 0
          ? [`Sources that did not answer: ${identification.sources_missing.join(', ')}`]
          : []),
      ],
    ],
    [
      [`Records read: ${identification.records_read}`],
      [
        'Removed before screening:',
        ...each({
          duplicates: removed.duplicates,
          notices: removed.notices,
          'without a title': removed.without_title,
        }),
      ],
    ],
    [
      [`Records screened: ${screening.records_screened}`],
      [`Records excluded: ${screening.records_excluded}`, ...each(screening.records_excluded_by_rule)],
    ],
    [
      [`Papers included: ${included.studies_included}`, ...decided(screening.decided_by_person)],
      screening.records_uncertain > 0
        ? [
            `For a person to decide: ${screening.records_uncertain}`,
            ...each(screening.records_uncertain_by_rule),
          ]
        : null,
    ],
  ]
  const boxes: Box[] = []
  const arrows: string[] = []
  let y = 10
  for (const [at, [left, right]] of rows.entries()) {
    const height = Math.max(heightOf(left), right ? heightOf(right) : 0)
    boxes.push({ x: 10, y, lines: left })
    if (right) {
      boxes.push({ x: RIGHT, y, lines: right })
      arrows.push(`M${10 + BOX} ${y + 20}H${RIGHT - 2}`)
    }
    if (at < rows.length - 1) arrows.push(`M${10 + BOX / 2} ${y + heightOf(left)}V${y + height + GAP - 2}`)
    y += height + GAP
  }
  const told = boxes.map(({ lines }) => lines.join(', ')).join('. ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-labelledby="flow-title flow-text">
<title id="flow-title">PRISMA flow: ${escaped(plural(included.studies_included, 'paper'))} included</title>
<desc id="flow-text">${escaped(told)}.</desc>
<style>
.ground{fill:#fff}.box{fill:#f4f6f8;stroke:#5b6770}.words{fill:#16202a;font:13px/1.4 system-ui,sans-serif}.first{font-weight:600}.way{fill:none;stroke:#5b6770;stroke-width:1.5;marker-end:url(#tip)}.tip{fill:#5b6770}
@media (prefers-color-scheme:dark){.ground{fill:#12181e}.box{fill:#1d2731;stroke:#93a1ad}.words{fill:#e8edf2}.way{stroke:#93a1ad}.tip{fill:#93a1ad}}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="ground" width="${WIDTH}" height="${y}"/>
${arrows.map((way) => `<path class="way" d="${way}"/>`).join('\n')}
${boxes.map(drawn).join('\n')}
</svg>
`
}

function each(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name.replaceAll('_', ' ')}: ${count}`)
}

function decided({ included, excluded }: Flow['screening']['decided_by_person']): string[] {
  return included + excluded > 0 ? [`decided by a person: ${included} included, ${excluded} excluded`] : []
}

function heightOf(lines: readonly string[]): number {
  return lines.length * LINE + 2 * PAD
}

function drawn({ x, y, lines }: Box): string {
  const words = lines.map((line, at) => {
    const place = `x="${x + PAD}" y="${y + PAD + LINE * (at + 0.75)}"`
    return `<text class="words${at === 0 ? ' first' : ''}" ${place}>${escaped(short(line))}</text>`
  })
  return `<rect class="box" x="${x}" y="${y}" width="${BOX}" height="${heightOf(lines)}" rx="4"/>\n${words.join('\n')}`
}

/** Cuts a line that would overflow its box; the description has the full text. */
function short(line: string): string {
  return [...line].length > 48 ? `${[...line].slice(0, 47).join('')}…` : line
}

function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
