/**
 * The map as a picture: one row per concept, one column per kind of study, and circles for the papers. The SVG is
 * self-contained and works on light and dark backgrounds and with screen readers.
 */
import { plural } from '../count.ts'
import { type EvidenceMap, kindInWords } from './shape.ts'

const [LEFT, TOP, CELL, ROW, LARGEST] = [230, 150, 92, 64, 26]
const BOTTOM = 30

export function mapSvg(map: EvidenceMap): string {
  const { concepts, kinds, by_concept_and_kind: cells, papers } = map
  // The last heading slants beyond its column.
  const width = LEFT + kinds.length * CELL + 110
  const height = TOP + Math.max(1, concepts.length) * ROW + BOTTOM
  const most = Math.max(1, ...cells.map(({ count }) => count))
  const told = cells
    .filter(({ count }) => count > 0)
    .map(({ concept, kind, count }) => `${concept}, ${kindInWords(kind)}: ${count}`)
  const circles = cells.flatMap(({ concept, kind, count }) => {
    const x = LEFT + (kinds.indexOf(kind) + 0.5) * CELL
    const y = TOP + (concepts.findIndex(({ label }) => label === concept) + 0.5) * ROW
    if (count === 0) return [`<circle class="none" cx="${x}" cy="${y}" r="3"/>`]
    // Readers compare areas, so the area shows the count.
    const r = Math.round(Math.max(11, LARGEST * Math.sqrt(count / most)) * 10) / 10
    return [
      `<circle class="some" cx="${x}" cy="${y}" r="${r}"/>`,
      `<text class="count" x="${x}" y="${y + 4.5}">${count}</text>`,
    ]
  })
  const columns = kinds.map((kind, at) => {
    const [x, y] = [LEFT + (at + 0.5) * CELL, TOP - 14]
    return `<text class="words" transform="translate(${x - 4} ${y}) rotate(-38)">${escaped(kindInWords(kind))}</text>`
  })
  const rows = concepts.flatMap(({ label }, at) => {
    const y = TOP + at * ROW
    return [
      `<path class="line" d="M10 ${y}H${width - 10}"/>`,
      ...wrapped(label).map((line, place, all) => {
        const middle = y + ROW / 2 + 4.5 + (place - (all.length - 1) / 2) * 16
        return `<text class="words row" x="10" y="${middle}">${escaped(line)}</text>`
      }),
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="map-title map-text">
<title id="map-title">Evidence map: ${escaped(plural(papers, 'paper'))} by concept and kind of study</title>
<desc id="map-text">${escaped(told.length > 0 ? told.join('; ') : 'No paper is included')}.</desc>
<style>
.ground{fill:#fff}.words{fill:#16202a;font:13px/1.2 system-ui,sans-serif}.row{font-weight:600}.line{stroke:#d5dade;fill:none}.some{fill:#0b6e69}.none{fill:#b9c1c7}.count{fill:#fff;font:600 13px system-ui,sans-serif;text-anchor:middle}
@media (prefers-color-scheme:dark){.ground{fill:#12181e}.words{fill:#e8edf2}.line{stroke:#323d47}.some{fill:#5cc9bf}.none{fill:#55616b}.count{fill:#06211f}}
</style>
<rect class="ground" width="${width}" height="${height}"/>
${[...columns, ...rows, ...circles].join('\n')}
</svg>
`
}

/** Splits a label into two lines; the description has the full text. */
function wrapped(label: string): string[] {
  const letters = 28
  const lines: string[] = []
  for (const word of label.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length > 0 && longer.length <= letters) lines.splice(-1, 1, longer)
    else lines.push(word)
  }
  const kept = lines.slice(0, 2).map((line) => cut(line, letters))
  if (lines.length > 2) kept[1] = cut(`${kept[1]} …`, letters)
  return kept
}

function cut(line: string, letters: number): string {
  const all = [...line]
  return all.length > letters ? `${all.slice(0, letters - 1).join('')}…` : line
}

function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
