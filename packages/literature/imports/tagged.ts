/**
 * Reads RIS and NBIB: lines of a tag and a value; untagged lines continue the value. We do not use citation-js: its RIS
 * reader drops PMIDs and any text after a second "  - ", and it cannot read NBIB.
 */
import { type Author, emptyRecord, type SourceRecord, type WorkType } from '../paper.ts'
import { monthIn, yearIn } from '../sources/values.ts'

type Entry = Map<string, string[]>

const RIS_TYPES: Readonly<Record<string, WorkType>> = {
  JOUR: 'article',
  EJOUR: 'article',
  ABST: 'article',
  MGZN: 'article',
  INPR: 'article',
  BOOK: 'book',
  EBOOK: 'book',
  EDBOOK: 'book',
  CHAP: 'chapter',
  ECHAP: 'chapter',
  THES: 'thesis',
  CONF: 'conference_paper',
  CPAPER: 'conference_paper',
  RPRT: 'report',
  GOVDOC: 'report',
  DATA: 'dataset',
  DBASE: 'dataset',
}

export function readRis(text: string, source: string): SourceRecord[] {
  const entries = entriesOf(text, /^([A-Z][A-Z\d]) {1,2}- ?(.*)$/, 'TY')
  return entries.map((entry, at) => {
    const first = (...tags: string[]) => tags.flatMap((tag) => entry.get(tag) ?? [])[0] ?? null
    const type = (first('TY') ?? '').toUpperCase()
    const date = first('PY', 'Y1', 'DA')
    const preprint =
      /preprint/i.test(first('M3') ?? '') || (type === 'UNPB' && /rxiv|preprint/i.test(first('PB') ?? ''))
    const pages = [first('SP'), first('EP')].filter((page) => page !== null)
    const languages = (entry.get('LA') ?? []).flatMap((codes) => codes.split(/[,;]\s*/))
    const accession = first('AN')
    return {
      ...emptyRecord(source, String(at + 1)),
      doi: doiIn(
        first('DO'),
        ...(entry.get('M3') ?? []),
        ...(entry.get('UR') ?? []),
        ...(entry.get('N1') ?? []),
      ),
      pmid: accession !== null && /^(?:PMID:?\s*)?\d{4,9}$/i.test(accession) ? accession : null,
      pmcid: [first('C2') ?? ''].find((one) => /^PMC\d+$/i.test(one)) ?? null,
      title: first('TI', 'T1', 'CT', 'BT') ?? '',
      authors: [...(entry.get('AU') ?? []), ...(entry.get('A1') ?? [])].map(authorOf),
      year: yearIn(date) ?? yearIn(first('DA')),
      month: monthOf(first('DA') ?? first('Y1') ?? first('PY')),
      journal: (preprint ? first('PB') : null) ?? first('JF', 'T2', 'JO', 'C3', 'JA', 'J2'),
      publisher: first('PB'),
      volume: first('VL'),
      issue: first('IS', 'CP'),
      pages: pages.length > 0 ? pages.join('-') : null,
      article_number: first('C7'),
      isbn: (entry.get('SN') ?? []).flatMap(
        (number) => number.match(/(?:97[89][- ]?)?\d[\d -]{8,14}[\dXx]/g) ?? [],
      ),
      abstract: first('AB', 'N2'),
      publication_types: (entry.get('M3') ?? []).filter((words) => !/^10\.|^https?:/.test(words)),
      language: languages[0] ?? null,
      languages,
      preprint,
      work_type: preprint ? 'preprint' : (RIS_TYPES[type] ?? null),
    }
  })
}

export function readNbib(text: string, source: string): SourceRecord[] {
  return entriesOf(text, /^([A-Z]{2,4}) *- ?(.*)$/, 'PMID').map((entry, at) => {
    const all = (tag: string) => entry.get(tag) ?? []
    const first = (...tags: string[]) => tags.flatMap(all)[0] ?? null
    const types = all('PT')
    const idOf = (kind: string) =>
      [...all('LID'), ...all('AID')].find((id) => id.endsWith(`[${kind}]`))?.replace(/\s*\[\w+\]$/, '') ??
      null
    const preprint = types.some((type) => /^preprint$/i.test(type))
    const pages = first('PG')
    return {
      ...emptyRecord(source, String(at + 1)),
      doi: idOf('doi'),
      pmid: first('PMID'),
      pmcid: first('PMC'),
      title: first('TI', 'BTI') ?? '',
      authors: [
        ...(all('FAU').length > 0 ? all('FAU') : all('AU')).map(authorOf),
        ...all('CN').map((literal) => ({ literal })),
      ],
      year: yearIn(first('DP')),
      month: monthIn(first('DP')),
      journal: first('JT', 'TA') ?? (first('TI') ? first('BTI') : null),
      publisher: first('PB'),
      volume: first('VI'),
      issue: first('IP'),
      pages,
      article_number: pages === null && /^[a-z]{0,3}\d{1,10}$/i.test(idOf('pii') ?? '') ? idOf('pii') : null,
      isbn: all('ISBN').map((isbn) => isbn.replace(/\s*\(.*\)$/, '')),
      abstract: first('AB'),
      publication_types: types,
      mesh: all('MH').map((heading) => heading.replace(/[*]/g, '').split('/')[0] ?? ''),
      language: all('LA')[0] ?? null,
      languages: all('LA'),
      retracted: types.some((type) => /^retracted publication$/i.test(type)),
      preprint,
      work_type: preprint ? 'preprint' : first('BTI') ? (first('TI') ? 'chapter' : 'book') : 'article',
    }
  })
}

/** An entry starts at tag `begin`; text before the first entry is ignored. */
function entriesOf(text: string, tag: RegExp, begin: string): Entry[] {
  const entries: Entry[] = []
  let last: string[] | undefined
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [, name, value = ''] = tag.exec(line) ?? []
    if (name === begin) entries.push(new Map())
    const entry = entries.at(-1)
    if (!entry) continue
    if (name === undefined) {
      if (last && line.trim() !== '') last[last.length - 1] += ` ${line.trim()}`
      continue
    }
    last = name === 'ER' ? undefined : (entry.get(name) ?? [])
    if (!last) continue
    if (value.trim() !== '') last.push(value.trim())
    if (last.length > 0) entry.set(name, last)
    else last = undefined
  }
  return entries
}

/** Reads "Okonjo, Adaeze, Jr", or a group name without a comma. */
function authorOf(name: string): Author {
  const [family = '', given, suffix] = name.split(/\s*,\s*/)
  if (given === undefined && /\s/.test(family)) return { literal: family }
  return { family, given: given || null, ...(suffix && { suffix }) }
}

/** RIS dates look like 2020/03/05/ or 2020-03. */
function monthOf(date: string | null): number | null {
  const month = /^\d{4}[/-](\d{1,2})/.exec(date ?? '')?.[1]
  return month ? monthIn(month) : monthIn(date?.replace(/\d{4}/, ''))
}

function doiIn(...texts: (string | null)[]): string | null {
  for (const text of texts) {
    const found = /\b10\.\d{4,9}\/[^\s"<>]+/.exec(text ?? '')
    if (found) return found[0]
  }
  return null
}
