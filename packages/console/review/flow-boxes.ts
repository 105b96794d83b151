/** The contents of the boxes in a PRISMA flow, and their heights. */
import type { FlowNumbers } from './read-flow.ts'

export interface Box {
  title: string
  count: number
  lines: string[]
}

export interface Row {
  main: Box
  aside: Box | null
}

/** Widths in px of the picture, a box and its margin, and how many letters fit on a line. */
export interface Measures {
  width: number
  box: number
  margin: number
  letters: number
}

export const WIDE: Measures = { width: 560, box: 250, margin: 14, letters: 32 }
/** For phones, where the wide picture would be too small to read. */
export const NARROW: Measures = { width: 356, box: 166, margin: 10, letters: 20 }
export const LINE = 20

export function rowsOf(flow: FlowNumbers, { letters }: Measures): Row[] {
  const box = (title: string, count: number, parts: [string, number][] = []): Box => {
    return { title, count, lines: parts.flatMap(([name, part]) => wrapped(`${name}: ${part}`, letters)) }
  }
  const aside = (title: string, count: number, parts: [string, number][]): Box | null => {
    return count > 0 ? box(title, count, parts) : null
  }
  const removed = flow.removed.reduce((sum, [, count]) => sum + count, 0)
  const left = flow.included + flow.uncertain
  const beforeScreening = aside('Removed before', removed, flow.removed)
  const identified = box('Identified', flow.identified, flow.bySource)
  return [
    // If everything was read, this box would only repeat the one above.
    ...(flow.unread > 0
      ? [
          { main: identified, aside: aside('Not read', flow.unread, flow.unreadBySource) },
          { main: box('Read', flow.read), aside: beforeScreening },
        ]
      : [{ main: identified, aside: beforeScreening }]),
    { main: box('Screened', flow.screened), aside: aside('Excluded', flow.excluded, flow.excludedBy) },
    ...(flow.uncertain > 0
      ? [{ main: box('Not excluded', left), aside: aside('Uncertain', flow.uncertain, flow.uncertainBy) }]
      : []),
    {
      main: box('Included', flow.included, flow.byPerson > 0 ? [['decided by a person', flow.byPerson]] : []),
      aside: null,
    },
  ]
}

/** Wraps a text into lines of at most `letters`; cuts longer words. */
function wrapped(text: string, letters: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const short = word.length > letters ? `${word.slice(0, letters - 1)}…` : word
    const longer = `${lines.at(-1)} ${short}`
    if (lines.length > 0 && longer.length <= letters) lines.splice(-1, 1, longer)
    else lines.push(short)
  }
  return lines
}

export function heightOf(box: Box): number {
  return 42 + box.lines.length * LINE + (box.lines.length > 0 ? 6 : 0)
}

export function inWords(flow: FlowNumbers): string {
  const listed = (parts: [string, number][]) => parts.map(([name, count]) => `${name} ${count}`).join(', ')
  const why = (parts: [string, number][]) => (parts.length > 0 ? ` (${listed(parts)})` : '')
  return [
    `${flow.identified} records were identified${why(flow.bySource)}`,
    flow.unread > 0 && `${flow.unread} not read because of a limit, ${flow.read} read`,
    flow.removed.length > 0 && `removed before screening: ${listed(flow.removed)}`,
    `${flow.screened} screened`,
    `${flow.excluded} excluded${why(flow.excludedBy)}`,
    flow.uncertain > 0 && `${flow.uncertain} uncertain${why(flow.uncertainBy)}`,
    `${flow.included} included${flow.byPerson > 0 ? `, ${flow.byPerson} of them by a person` : ''}`,
  ]
    .filter(Boolean)
    .join(', ')
    .concat('.')
}
