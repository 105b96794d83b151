/**
 * Stage 16: quotes where a manuscript covers each PRISMA 2020 item. It only locates text; it gives no judgement and no
 * score.
 */
import { createHash } from 'node:crypto'
import type { Bindings } from '../manuscript/bindings.ts'
import { ITEMS, type Item } from './items.ts'

export interface Checklist {
  kind: 'checklist'
  guideline: 'PRISMA 2020'
  manuscript: { name: string; sha256: string }
  items: CheckedItem[]
  /** Numbers in the text that come from no artifact; empty if the text was not edited. */
  unbound: { start: number; end: number; text: string }[]
}

export interface CheckedItem {
  item: number
  topic: string
  asks: string
  /** `told`: has text. `for_the_author`: has a marked gap. `not_assessed`: this draft has no section for it. */
  state: 'told' | 'told_in_part' | 'for_the_author' | 'not_assessed'
  places: Place[]
}

export interface Place {
  section: string
  title: string
  /** UTF-16 offsets in the manuscript. */
  start: number
  end: number
  quotation: string
  gap: boolean
}

/** Throws if the bindings were written for another text. */
export function checklistOf(text: string, bindings: Bindings): Checklist {
  const sha256 = createHash('sha256').update(text).digest('hex')
  if (sha256 !== bindings.manuscript.sha256) {
    throw new Error(`${bindings.manuscript.name} does not match the text that bindings.json was written for`)
  }
  return {
    kind: 'checklist',
    guideline: 'PRISMA 2020',
    manuscript: bindings.manuscript,
    items: ITEMS.map((item) => checked(item, text, bindings)),
    unbound: unboundOf(text, bindings),
  }
}

function checked({ item, topic, asks, sections }: Item, text: string, bindings: Bindings): CheckedItem {
  const places = sections.flatMap((id) => placesIn(id, text, bindings))
  const [told, gaps] = [places.some(({ gap }) => !gap), places.some(({ gap }) => gap)]
  const state = told ? (gaps ? 'told_in_part' : 'told') : gaps ? 'for_the_author' : 'not_assessed'
  return { item, topic, asks, state, places }
}

/** The first informative passage and the first gap. */
function placesIn(id: string, text: string, { sections, gaps }: Bindings): Place[] {
  const section = id === 'title' ? titleOf(text) : sections.find((one) => one.id === id)
  if (!section) return []
  const { title, start, end } = section
  const place = (from: number, to: number, gap: boolean): Place => {
    return { section: id, title, start: from, end: to, quotation: text.slice(from, to), gap }
  }
  const body = id === 'title' ? start : text.indexOf('\n', start) + 1
  const inside = gaps.filter((one) => one.start >= start && one.end <= end)
  const [from, to] = passage(text, body, end, inside)
  const [gap] = inside
  return [...(from < to ? [place(from, to, false)] : []), ...(gap ? [place(gap.start, gap.end, true)] : [])]
}

/** The title is the text before the first section. */
function titleOf(text: string) {
  const end = text.indexOf('\n')
  return { title: 'Title', start: 2, end: end < 0 ? text.length : end }
}

/** The longest quotation, in characters. */
const LONGEST = 300

/** The first line between `from` and `end` that holds words outside gaps, cut at the first gap in it. */
function passage(
  text: string,
  from: number,
  end: number,
  gaps: readonly { start: number; end: number }[],
): [number, number] {
  for (let at = from; at < end; ) {
    const line = text.indexOf('\n', at)
    const stop = line < 0 || line > end ? end : line
    let start = at
    for (const gap of [
      ...gaps.filter((one) => one.start >= at && one.end <= stop),
      { start: stop, end: stop },
    ]) {
      // A label such as "Background." before a gap is not informative.
      if (/\p{L}[^\p{L}]+\p{L}+[^\p{L}]+\p{L}/u.test(text.slice(start, gap.start)))
        return trimmed(text, start, gap.start)
      start = gap.end
    }
    at = stop + 1
  }
  return [0, 0]
}

function trimmed(text: string, start: number, end: number): [number, number] {
  const part = text.slice(start, end)
  // Drop the list marker, and what joined the passage to a gap before it.
  const from = start + (/^[\s:;,.]*(?:- )?/.exec(part)?.[0].length ?? 0)
  const to = Math.min(end - (part.length - part.trimEnd().length), from + LONGEST)
  // Do not split a surrogate pair.
  return [from, /[\ud800-\udbff]/.test(text[to - 1] ?? '') ? to - 1 : to]
}

/** Numbers outside every token; the year in "PRISMA 2020" does not count. */
function unboundOf(text: string, { tokens, gaps, sections }: Bindings): Checklist['unbound'] {
  const covered = [...tokens, ...gaps].map(({ start, end }) => [start, end] as const)
  const [first] = sections
  return [...text.matchAll(/\p{N}+/gu)].flatMap(({ 0: digits, index }) => {
    const end = index + digits.length
    if (covered.some(([from, to]) => from <= index && end <= to)) return []
    if (text.slice(0, index).endsWith('PRISMA ') && digits === '2020') return []
    return first ? [{ start: index, end, text: digits }] : []
  })
}
