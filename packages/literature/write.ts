/** Step 10: the artifacts. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bibtexEntry } from './artifacts/bibtex.ts'
import { citationKeys } from './artifacts/citation-keys.ts'
import { cslItem } from './artifacts/csl.ts'
import { prisma } from './artifacts/prisma.ts'
import { risEntry } from './artifacts/ris.ts'
import { searchLog } from './artifacts/search-log.ts'
import { type Findings, review } from './review.ts'
import type { LiteratureReview } from './schema.ts'

const REVIEW_FILE = 'literature_review.json'

export interface WrittenFile {
  name: string
  bytes: number
  sha256: string
}

/** Name and content of every artifact; the review comes first and names the others with their hashes. */
export function render(findings: Findings): {
  review: LiteratureReview
  files: [name: string, text: string][]
} {
  const papers = findings.included.map(({ paper }) => paper)
  const keys = citationKeys(papers)
  const each = (entry: (paper: (typeof papers)[number], key: string) => string) =>
    papers.map((paper) => entry(paper, keys.get(paper.id) ?? paper.id))
  const others: [string, string][] = [
    ['references.csl.json', json(papers.map((paper) => cslItem(paper, keys.get(paper.id) ?? paper.id)))],
    ['references.bib', each(bibtexEntry).join('\n')],
    ['references.ris', each(risEntry).join('\r\n')],
    ['prisma.json', json(prisma(findings))],
    ['search_log.json', json(searchLog(findings))],
  ]
  const whole: LiteratureReview = {
    ...review(findings),
    artifacts: others.map(([name, text]) => described(name, text)),
  }
  return { review: whole, files: [[REVIEW_FILE, json(whole)], ...others] }
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
