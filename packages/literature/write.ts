/** Step 10: writes the artifacts. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bibtexEntry } from './artifacts/bibtex.ts'
import { citationKeys } from './artifacts/citation-keys.ts'
import { cslItem } from './artifacts/csl.ts'
import { prisma } from './artifacts/prisma.ts'
import { prismaSvg } from './artifacts/prisma-svg.ts'
import { risEntry } from './artifacts/ris.ts'
import { searchLog } from './artifacts/search-log.ts'
import type { Paper } from './paper.ts'
import { type Findings, review } from './review.ts'
import type { LiteratureReview } from './schema.ts'
import type { Screening } from './screen.ts'

const REVIEW_FILE = 'literature_review.json'

export interface WrittenFile {
  name: string
  bytes: number
  sha256: string
}

/** Name and content of every artifact. The review comes first and lists the others with their hashes. */
export function render(findings: Findings): {
  review: LiteratureReview
  files: [name: string, text: string][]
} {
  const flow = prisma(findings)
  const others: [string, string][] = [
    ...referenceFiles(findings),
    ['prisma.json', json(flow)],
    ['prisma.svg', prismaSvg(flow)],
    ['search_log.json', json(searchLog(findings))],
  ]
  const whole: LiteratureReview = {
    ...review(findings),
    artifacts: others.map(([name, text]) => described(name, text)),
  }
  return { review: whole, files: [[REVIEW_FILE, json(whole)], ...others] }
}

/** Included, uncertain and excluded papers in three formats, with the same key for a paper in each. */
function referenceFiles({ included, uncertain, excluded }: Findings): [name: string, text: string][] {
  const byId = [...excluded].sort((a, b) => (a.paper.id < b.paper.id ? -1 : 1))
  const keys = citationKeys([...included, ...uncertain, ...byId].map(({ paper }) => paper))
  const lists: [name: string, papers: readonly { paper: Paper; screening: Screening }[]][] = [
    ['references', included],
    ['uncertain', uncertain],
    ['excluded', byId],
  ]
  return lists.flatMap(([name, papers]): [string, string][] => {
    const references = papers.map(({ paper, screening }) => {
      return { paper, key: keys.get(paper.id) ?? paper.id, screening }
    })
    return [
      [`${name}.csl.json`, json(references.map(cslItem))],
      [`${name}.bib`, references.map(bibtexEntry).join('\n')],
      [`${name}.ris`, references.map(risEntry).join('\r\n')],
    ]
  })
}

export async function write(dir: string, findings: Findings, signal: AbortSignal) {
  const { review: whole, files } = render(findings)
  for (const [name, text] of files) await writeFile(join(dir, name), text, { flush: true, signal })
  return { review: whole, files: files.map(([name, text]) => described(name, text)) }
}

function described(name: string, text: string): WrittenFile {
  return { name, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
