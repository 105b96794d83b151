/**
 * Step 5: links records of the same publication and deletes none. Records match by, in this order: equal DOI, PMID or
 * PMCID; equal title and first surname, and year within one; a title similarity of 0.90 with the same year and surname
 * rules. A preprint and its article, or two papers with different identifiers, are related but never linked.
 */
import { type Linked, linkedGroups } from './link.ts'
import { merge } from './merge.ts'
import type { Paper, Related, SourceRecord } from './paper.ts'
import { alike, signature, titlePairs } from './titles.ts'

export interface Deduplicated {
  papers: Paper[]
  /** Records linked to another one. */
  duplicates: number
}

export function deduplicate(
  normalised: readonly Paper[],
  /** Record ids of other versions, as reported by a source. */
  told: readonly Pick<SourceRecord, 'source' | 'raw_id' | 'related'>[] = [],
): Deduplicated {
  // Sort, so that the order of the sources' answers does not affect the papers.
  const papers = [...normalised].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  const groups = linkedGroups(papers)
  for (const field of ['doi', 'pmid', 'pmcid'] as const) {
    const first = new Map<string, number>()
    for (const [at, paper] of papers.entries()) {
      const id = paper[field]
      if (id === null) continue
      const known = first.get(id)
      if (known === undefined) first.set(id, at)
      else groups.link(known, at)
    }
  }
  const signatures = papers.map(signature)
  const versions: [number, number][] = []
  for (const [a, b] of titlePairs(signatures)) {
    const [one, other] = [signatures[a], signatures[b]]
    if (!one || !other || groups.same(a, b) || !alike(one, other)) continue
    if (groups.compatible(a, b)) groups.link(a, b)
    else versions.push([a, b])
  }
  return assemble(papers, groups, versions, told)
}

function assemble(
  papers: readonly Paper[],
  groups: Linked,
  versions: readonly [number, number][],
  told: readonly Pick<SourceRecord, 'source' | 'raw_id' | 'related'>[],
): Deduplicated {
  const merged = new Map<number, Paper>()
  for (const [root, members] of groups.all())
    merged.set(root, merge(members.flatMap((at) => papers[at] ?? [])))
  const paperAt = (at: number) => merged.get(groups.root(at))

  const byRecord = new Map<string, Paper>()
  for (const paper of merged.values()) {
    for (const { source, id } of paper.records) byRecord.set(`${source} ${id}`, paper)
  }
  const pairs = versions.map(([a, b]) => [paperAt(a), paperAt(b)] as const)
  for (const { source, raw_id, related } of told) {
    for (const other of related) {
      pairs.push([byRecord.get(`${source} ${raw_id}`), byRecord.get(`${source} ${other}`)])
    }
  }
  for (const [one, other] of pairs) {
    if (!one || !other || one === other) continue
    relate(one, other)
    relate(other, one)
  }
  const unique = [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  for (const paper of unique) paper.related.sort((a, b) => (a.id < b.id ? -1 : 1))
  return { papers: unique, duplicates: papers.length - unique.length }
}

function relate(paper: Paper, other: Paper): void {
  if (paper.related.some(({ id }) => id === other.id)) return
  const relation: Related['relation'] =
    paper.preprint === other.preprint ? 'version' : other.preprint ? 'preprint' : 'article'
  paper.related.push({ id: other.id, relation })
}

function sortKey({ id, records }: Paper): string {
  return `${id} ${records.map((record) => `${record.source} ${record.id}`).join(' ')}`
}
