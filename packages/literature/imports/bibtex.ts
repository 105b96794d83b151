/**
 * Reads BibTeX with citation-js, because names, LaTeX accents and macros are hard to parse by hand. It splits the entries
 * first, so that an error names the broken one.
 */
import '@citation-js/plugin-bibtex'
import { plugins } from '@citation-js/core'
import type { SourceRecord } from '../paper.ts'
import { recordOf } from './csl-record.ts'

// Keep the capitals of titles.
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
      // Force the type: citation-js would fetch input that looks like a URL.
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

/** Fields that have no place in CSL. */
function identifiers(entry: string): Partial<SourceRecord> {
  const field = (name: string) =>
    new RegExp(String.raw`^\s*${name}\s*=\s*["{]?\s*([^"{},\s]+)`, 'im').exec(entry)?.[1] ?? null
  const [pmid, pmcid] = [field('pmid'), field('pmcid')]
  return { ...(pmid && { pmid }), ...(pmcid && { pmcid }) }
}

/** Preprints are @misc, @online, @unpublished or @article entries with a note or an archive. */
function kindOf(entry: string): Partial<SourceRecord> {
  if (!/^@(?:misc|online|unpublished|article)\b/i.test(entry)) return { preprint: false }
  const preprint =
    /\bpreprint\b/i.test(/^\s*(?:note|type|howpublished)\s*=.*$/im.exec(entry)?.[0] ?? '') ||
    /^\s*(?:archiveprefix|eprinttype)\s*=\s*["{]\s*(?:arxiv|biorxiv|medrxiv)/im.test(entry)
  return preprint ? { preprint, work_type: 'preprint' } : { preprint }
}

/** Each entry, from its `@` at the start of a line to the next one. */
function entriesIn(text: string): string[] {
  const starts = [...text.matchAll(/^[ \t]*@\w+\s*[{(]/gm)].map(({ index }) => index)
  return starts.map((start, at) => text.slice(start, starts[at + 1] ?? text.length).trim())
}
