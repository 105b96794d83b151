/**
 * Reads the user's records from other databases: RIS, NBIB, BibTeX or CSL-JSON. Each text is its own source. Nothing is
 * dropped silently: an unreadable entry is an error that names it.
 */
import { createHash } from 'node:crypto'
import type { LiteratureInputs } from '../../../contract/literature.ts'
import { StageFailure } from '../../stage-kit/stage.ts'
import type { SourceRecord } from '../paper.ts'
import type { Search } from '../search.ts'
import { readBibtex } from './bibtex.ts'
import { recordOf } from './csl-record.ts'
import { readNbib, readRis } from './tagged.ts'

export type Format = 'ris' | 'nbib' | 'bibtex' | 'csl'

export interface Imported {
  source: string
  format: Format
  records: SourceRecord[]
  sha256: string
}

const READERS: Record<Format, (text: string, source: string) => SourceRecord[]> = {
  ris: readRis,
  nbib: readNbib,
  bibtex: readBibtex,
  csl: readCsl,
}

/** Throws a 422 `StageFailure` that names the text and the entry. */
export function importAll(given: LiteratureInputs['records']): Imported[] {
  const texts = typeof given === 'string' ? [{ text: given }] : (given ?? [])
  const taken = new Map<string, number>()
  return texts.map((one, at) => {
    const path = typeof given === 'string' ? 'inputs/records' : `inputs/records/${at}/text`
    const name = 'name' in one && one.name ? `import:${one.name.trim()}` : 'import'
    const times = (taken.get(name) ?? 0) + 1
    taken.set(name, times)
    const source = times === 1 ? name : `${name} (${times})`
    const text = one.text.replace(/^\uFEFF/, '')
    const format = formatOf(text)
    if (!format) {
      throw refuse(
        path,
        'is not RIS, NBIB (PubMed), BibTeX or CSL-JSON; export the records in one of these formats',
      )
    }
    try {
      const records = READERS[format](text, source)
      if (records.length === 0) throw new Error('contains no record')
      return { source, format, records, sha256: createHash('sha256').update(one.text).digest('hex') }
    } catch (error) {
      throw refuse(path, `read as ${format}: ${error instanceof Error ? error.message : 'it cannot be read'}`)
    }
  })
}

/** Imported records as the result of a search. */
export function asSearch({ source, records }: Imported): Search {
  return {
    source,
    kind: 'imported',
    plan: null,
    total: records.length,
    records,
    searched_at: null,
    failure: null,
  }
}

function formatOf(text: string): Format | undefined {
  if (/^\s*[[{]/.test(text) && !/^\s*@/.test(text)) return 'csl'
  if (/^PMID- ?\d/m.test(text)) return 'nbib'
  if (/^TY {1,2}- ?\w/m.test(text)) return 'ris'
  return /^\s*@\w+\s*[{(]/m.test(text) ? 'bibtex' : undefined
}

function readCsl(text: string, source: string): SourceRecord[] {
  const value: unknown = JSON.parse(text)
  const items = Array.isArray(value) ? value : [value]
  return items.map((item, at) => {
    if (typeof item !== 'object' || item === null) throw new Error(`entry ${at + 1} is not an object`)
    return recordOf(item as Record<string, unknown>, source, at + 1)
  })
}

function refuse(path: string, what: string): StageFailure {
  return new StageFailure(422, 'INVALID_INPUTS', `${path}: ${what}.`)
}
