/** Reads the project's own Markdown: files, tables, links, and the examples marked for testing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../helpers/processes.ts'

export { ROOT }

const FOREIGN = new Set(['node_modules', 'dist'])

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Relative paths of all files with this ending, without folders of tools and builds. */
export function filesEndingIn(...ends: string[]): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.name.startsWith('.') || FOREIGN.has(entry.name)) return []
      if (entry.isDirectory()) return below(path)
      return ends.some((end) => entry.name.endsWith(end)) ? [path] : []
    })
  return below('')
}

/** The part of a text under a heading, up to the next one of the same or a higher level. */
export function section(text: string, heading: string): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`there is no heading "${heading}"`)
  const level = (lines[start] as string).indexOf(' ')
  const end = lines.findIndex((line, i) => i > start && /^#+ /.test(line) && line.indexOf(' ') <= level)
  return lines.slice(start + 1, end === -1 ? undefined : end).join('\n')
}

/** The cells of all table rows, without header and separator rows. */
export function rows(text: string): string[][] {
  const lines = text.split('\n')
  return lines
    .filter((line, i) => line.startsWith('|') && !/^\|-/.test(line) && !/^\|-/.test(lines[i + 1] ?? ''))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
}

/** Everything in single backticks, without fenced blocks. */
export function inBackticks(text: string): string[] {
  return [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string)
}

/** The names in a table cell: code in backticks, and the text of links. */
export function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`|\[([^\]]+)\]/g)].map(([, code, words]) => (code ?? words) as string)
}

export function withoutFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '')
}

/** The documents whose examples are run against a live API. */
const WITH_EXAMPLES = [
  'README.md',
  'docs/api.md',
  'docs/clients.md',
  'docs/deployment.md',
  'docs/performance.md',
  'docs/runs.md',
]
  .map(read)
  .join('\n')

/** The block after `<!-- example: name -->`, in any document. */
export function example(name: string): string {
  const block = new RegExp(`^<!-- example: ${name} -->\\n\`\`\`\\w*\\n([\\s\\S]*?)^\`\`\``, 'm')
  const found = block.exec(WITH_EXAMPLES)
  if (!found) throw new Error(`there is no example "${name}"`)
  return found[1] as string
}

export function exampleNames(): string[] {
  return [...WITH_EXAMPLES.matchAll(/^<!-- example: ([\w-]+) -->$/gm)].map(([, name]) => name as string)
}

/** The first line of each code block that is not marked as an example. */
export function unmarked(): string[] {
  const blocks = ['README.md', 'docs/api.md', 'docs/deployment.md']
    .map(read)
    .join('\n')
    .matchAll(/^(<!-- example: .*\n)?```(?:sh|js|ts|html)\n(.*)/gm)
  return [...blocks].flatMap(([, mark, line]) => (mark ? [] : (line as string)))
}

/** The anchor that GitHub generates for a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
