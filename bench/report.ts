/** Formats results for people and for programs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Row } from './benchmark.ts'
import type { Summary } from './statistics.ts'

export interface Result {
  name: string
  title: string
  seconds: number
  rows: Row[]
}

export type Verdict = 'reached' | 'short' | ''

export function verdict({ ratio, figure, target }: Row): Verdict {
  if (!target) return ''
  const value = (ratio ?? figure).median
  return (target.at === 'least' ? value >= target.value : value <= target.value) ? 'reached' : 'short'
}

/** A Markdown table of one benchmark. */
export function table({ title, rows }: Pick<Result, 'title' | 'rows'>): string {
  const head = ['what', 'subject', 'figure', 'floor', 'ratio', 'to reach', '']
  const lines = rows.map((row) => [
    row.what,
    row.subject,
    shown(row.figure, row.unit),
    row.floor ? `${row.floor.name}: ${shown(row.floor.figure, row.unit)}` : '',
    row.ratio ? shown(row.ratio) : '',
    row.target ? `${row.target.at === 'least' ? '≥' : '≤'} ${row.target.value}` : '',
    verdict(row),
  ])
  const widths = head.map((name, i) =>
    Math.max(name.length, ...lines.map((line) => (line[i] as string).length)),
  )
  const text = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  const notes = rows.flatMap(({ what, subject, note }) => (note ? [`- ${what}, ${subject}: ${note}`] : []))
  return [
    `### ${title}`,
    '',
    text(head),
    rule,
    ...lines.map(text),
    ...(notes.length ? ['', ...notes] : []),
  ].join('\n')
}

/** The median and the range of the measurements. */
function shown({ median, min, max }: Summary, unit = ''): string {
  if (!Number.isFinite(median)) return '–'
  const spread = min === max ? '' : ` (${short(min)}–${short(max)})`
  return `${short(median)}${unit && ` ${unit}`}${spread}`
}

function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-GB')
  return String(Number(value.toPrecision(3)))
}

export function machine(redisVersion: string) {
  const [cpu] = cpus()
  return {
    node: process.version,
    redis: redisVersion,
    cpu: `${cpus().length} x ${cpu?.model.trim()}`,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    at: new Date().toISOString(),
  }
}

export function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
