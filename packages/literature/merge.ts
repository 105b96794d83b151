/** Merges linked records into one paper, taking each field from the best source that has it. */
import { idOf, isThere, linksOf } from './normalise.ts'
import { FIELDS, type Mark, type Paper } from './paper.ts'

/** Curated sources first; sources not listed come last. */
const PREFERENCE = ['pubmed', 'europepmc', 'openalex', 'crossref', 'sample']

/** `linked` must not be empty; its order does not matter. */
export function merge(linked: readonly Paper[]): Paper {
  const byTrust = [...linked].sort((a, b) => trust(a) - trust(b) || (key(a) < key(b) ? -1 : 1))
  const [first, ...others] = byTrust
  if (!first) throw new Error('nothing to merge')
  const merged = others.reduce(complete, structuredClone(first))
  merged.cited_by = linked.reduce<number | null>((most, { cited_by }) => {
    return cited_by === null ? most : Math.max(cited_by, most ?? 0)
  }, null)
  const counted = byTrust.find(({ cited_by }) => cited_by !== null && cited_by === merged.cited_by)
  if (counted) merged.field_sources.cited_by = counted.source
  merged.records = linked
    .flatMap(({ records }) => records)
    .sort((a, b) => (`${a.source} ${a.id}` < `${b.source} ${b.id}` ? -1 : 1))
  const [record] = first.records
  merged.id = idOf({ ...merged, source: first.source, raw: record?.id ?? '' })
  return merged
}

/** Fills missing fields of `paper` from `other`; keeps the records and id of `paper`. */
export function complete(paper: Paper, other: Paper): Paper {
  const result: Paper = { ...paper, field_sources: { ...paper.field_sources } }
  for (const field of FIELDS) {
    if (isThere(result[field]) || !isThere(other[field])) continue
    Object.assign(result, { [field]: other[field] })
    result.field_sources[field] = other.field_sources[field] ?? other.source
  }
  result.publication_types = [...new Set([...paper.publication_types, ...other.publication_types])]
  result.open_access = linksOf([...paper.open_access, ...other.open_access])
  result.notice = paper.notice ?? other.notice
  result.notices = marksOf([...paper.notices, ...other.notices])
  result.retracted = paper.retracted || other.retracted
  result.preprint = paper.preprint || other.preprint
  return result
}

/** Removes duplicate notices: one source may give a notice's DOI, another its PMID, and a third both. */
export function marksOf(marks: readonly Mark[]): Mark[] {
  const known: Mark[] = []
  // More identifiers first, so that a single one finds its match.
  const byNames = [...marks].sort(
    (a, b) => namesOf(b).length - namesOf(a).length || (markKey(a) < markKey(b) ? -1 : 1),
  )
  for (const mark of byNames) {
    const same = known.find(
      (one) => one.type === mark.type && namesOf(mark).every((name) => namesOf(one).includes(name)),
    )
    if (!same) known.push(mark)
  }
  return known.sort((a, b) => (markKey(a) < markKey(b) ? -1 : 1))
}

function namesOf({ doi, pmid }: Mark): string[] {
  return [...(doi ? [`doi ${doi}`] : []), ...(pmid ? [`pmid ${pmid}`] : [])]
}

function markKey({ type, doi, pmid, source }: Mark): string {
  return `${type} ${doi ?? ''} ${pmid ?? ''} ${source}`
}

function trust({ source }: Paper): number {
  const at = PREFERENCE.indexOf(source)
  return at === -1 ? PREFERENCE.length : at
}

function key({ records }: Paper): string {
  return records.map(({ source, id }) => `${source} ${id}`).join(' ')
}
