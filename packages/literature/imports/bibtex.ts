/**
 * BibTeX, by citation-js: names, LaTeX accents and macros are more than one reads by hand. Entries are cut apart first, so
 * that a broken one is named instead of failing all of them.
 */
import '@citation-js/plugin-bibtex'
import { plugins } from '@citation-js/core'
import type { SourceRecord } from '../paper.ts'
import { recordOf } from './csl-record.ts'

// Titles stay as they are written.
plugins.config.get('@bibtex').parse.sentenceCase = 'never'

export function readBibtex(text: string, source: string): SourceRecord[] {
  const macros: string[] = []
  const entries = entriesIn(text).filter((entry) => {
    if (/^@(?:string|preamble)\b/i.test(entry)) macros.push(entry)
    return !/^@(?:string|preamble|comment)\b/i.test(entry)
  })
  return entries.map((entry, at) => {
    const key = /^@\w+\s*[{(]\s*([^,\s]*)/.exec(entry)?.[1] ?? ''
    let item: Record<string, unknown> | undefined
    try {
      // The type is forced: left to guess, the library would fetch what looks like an address.
      item = plugins.input.chain([...macros, entry].join('\n'), {
        forceType: '@biblatex/text',
        generateGraph: false,
      })[0] as Record<string, unknown> | undefined
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n', 1)[0] : ''
      throw new Error(`entry ${at + 1} (${key.slice(0, 40)}) cannot be read: ${why}`)
    }
    if (!item) throw new Error(`entry ${at + 1} (${key.slice(0, 40)}) cannot be read`)
    return { ...recordOf({ ...item, custom: {} }, source, at + 1), ...identifiers(entry), ...kindOf(entry) }
  })
}

/** Fields that CSL has no place for after the library has read them. */
function identifiers(entry: string): Partial<SourceRecord> {
  const field = (name: string) =>
    new RegExp(String.raw`^\s*${name}\s*=\s*["{]?\s*([^"{},\s]+)`, 'im').exec(entry)?.[1] ?? null
  const [pmid, pmcid] = [field('pmid'), field('pmcid')]
  return { ...(pmid && { pmid }), ...(pmcid && { pmcid }) }
}

/** A preprint is written as @misc, @online or @unpublished with a note or an archive. */
function kindOf(entry: string): Partial<SourceRecord> {
  if (!/^@(?:misc|online|unpublished|article)\b/i.test(entry)) return { preprint: false }
  const preprint =
    /\bpreprint\b/i.test(/^\s*(?:note|type|howpublished)\s*=.*$/im.exec(entry)?.[0] ?? '') ||
    /^\s*(?:archiveprefix|eprinttype)\s*=\s*["{]\s*(?:arxiv|biorxiv|medrxiv)/im.test(entry)
  return preprint ? { preprint, work_type: 'preprint' } : { preprint }
}

/** Each from its `@` to the bracket that closes it; an unclosed one ends where the next begins a line. */
function entriesIn(text: string): string[] {
  const starts = [...text.matchAll(/^[ \t]*@\w+\s*[{(]/gm)].map(({ index }) => index)
  return starts.map((start, at) => text.slice(start, starts[at + 1] ?? text.length).trim())
}
