/** Groups of linked records (union-find), and the identifiers of each group. */
import type { Paper } from './paper.ts'

export interface Linked {
  root(at: number): number
  same(a: number, b: number): boolean
  link(a: number, b: number): void
  /** Whether two groups may be one publication: no conflicting DOIs or PMIDs, and both or neither are preprints or notices. */
  compatible(a: number, b: number): boolean
  /** Members by root, in ascending order. */
  all(): Map<number, number[]>
}

export function linkedGroups(papers: readonly Paper[]): Linked {
  const parent = papers.map((_, at) => at)
  const known = papers.map(({ doi, pmid, preprint, notice }) => ({
    dois: setOf(doi),
    pmids: setOf(pmid),
    preprint,
    isNotice: notice !== null,
  }))

  function root(at: number): number {
    let top = at
    while (parent[top] !== top) top = parent[top] ?? top
    // Link every node on the path directly to the root, so that the next lookup is short.
    for (let node = at; node !== top; ) {
      const next = parent[node] ?? top
      parent[node] = top
      node = next
    }
    return top
  }

  return {
    root,
    same: (a, b) => root(a) === root(b),
    link(a, b) {
      const [low, high] = [root(a), root(b)].sort((x, y) => x - y) as [number, number]
      if (low === high) return
      parent[high] = low
      const [kept, gone] = [known[low], known[high]]
      if (!kept || !gone) return
      for (const doi of gone.dois) kept.dois.add(doi)
      for (const pmid of gone.pmids) kept.pmids.add(pmid)
      kept.preprint ||= gone.preprint
    },
    compatible(a, b) {
      const [one, other] = [known[root(a)], known[root(b)]]
      if (!one || !other) return false
      if (one.isNotice !== other.isNotice) return false
      return one.preprint === other.preprint && agree(one.dois, other.dois) && agree(one.pmids, other.pmids)
    },
    all() {
      const groups = new Map<number, number[]>()
      for (const at of papers.keys()) {
        const top = root(at)
        const group = groups.get(top)
        if (group) group.push(at)
        else groups.set(top, [at])
      }
      return groups
    },
  }
}

function setOf(value: string | null): Set<string> {
  return new Set(value === null ? [] : [value])
}

/** Either set is empty, or they share a value. */
function agree(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === 0 || b.size === 0 || [...a].some((value) => b.has(value))
}
