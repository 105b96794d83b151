/** Stage 10: counts papers by concept, kind of study and year. Each number lists its papers. */
import { plural } from '../count.ts'
import type { LiteratureReview } from '../schema.ts'
import { gapsOf } from './gaps.ts'
import { type Count, type EvidenceMap, NOT_TOLD } from './shape.ts'

interface Row {
  id: string
  year: number | null
  kind: string
  concepts: readonly string[]
}

/** Kinds that every map shows, because their absence is informative. */
const LOOKED_FOR = ['systematic_review', 'meta_analysis', 'randomized_controlled_trial', 'cohort']
const NO_YEAR = 'no year'

export function evidenceMapOf(
  review: LiteratureReview,
  review_sha256: string,
  yearsPerColumn: number,
): EvidenceMap {
  const concepts = conceptsOf(review)
  const rows = review.papers.map((paper): Row => {
    const { id, year, study_type, screening } = paper
    return { id, year, kind: study_type?.type ?? NOT_TOLD, concepts: screening.criteria.met }
  })
  const kinds = kindsOf(rows)
  const years = columnsOf(rows, yearsPerColumn)
  const count = (wanted: (row: Row) => boolean): Count => {
    const paper_ids = rows.filter(wanted).map(({ id }) => id)
    return { count: paper_ids.length, paper_ids: paper_ids.sort() }
  }
  const deals = (row: Row, label: string) => row.concepts.includes(label)
  const inColumn = ({ year }: Row, { from, to }: EvidenceMap['years'][number]) =>
    from === null || to === null ? year === null : year !== null && from <= year && year <= to

  const labels = concepts.map(({ label }) => label)
  const map: EvidenceMap = {
    kind: 'evidence_map',
    question: review.question,
    notice: review.notice,
    review_sha256,
    papers: rows.length,
    concepts,
    kinds,
    years,
    cells: labels.flatMap((concept) =>
      kinds.flatMap((kind) =>
        years.map((column) => ({
          concept,
          kind,
          years: column.label,
          ...count((row) => deals(row, concept) && row.kind === kind && inColumn(row, column)),
        })),
      ),
    ),
    by_concept: labels.map((concept) => ({ concept, ...count((row) => deals(row, concept)) })),
    by_kind: kinds.map((kind) => ({ kind, ...count((row) => row.kind === kind) })),
    by_years: years.map((column) => ({ years: column.label, ...count((row) => inColumn(row, column)) })),
    by_concept_and_kind: labels.flatMap((concept) =>
      kinds.map((kind) => ({ concept, kind, ...count((row) => deals(row, concept) && row.kind === kind) })),
    ),
    by_concept_and_years: labels.flatMap((concept) =>
      years.map((column) => ({
        concept,
        years: column.label,
        ...count((row) => deals(row, concept) && inColumn(row, column)),
      })),
    ),
    by_pair: labels.flatMap((one, at) =>
      labels.slice(at + 1).map((other) => ({
        concepts: [one, other] as [string, string],
        ...count((row) => deals(row, one) && deals(row, other)),
      })),
    ),
    gaps: [],
  }
  return { ...map, gaps: gapsOf(map) }
}

/** The concepts asked about, in the question's order. */
function conceptsOf({ concepts, papers }: LiteratureReview): EvidenceMap['concepts'] {
  const named = new Set(papers.flatMap(({ screening }) => screening.criteria.met))
  const asked = concepts.filter(({ label, required }) => required || named.has(label))
  return asked.map(({ label, role }) => ({ label, role }))
}

function kindsOf(rows: readonly Row[]): string[] {
  const others = [...new Set(rows.map(({ kind }) => kind))].filter((kind) => !LOOKED_FOR.includes(kind))
  // Unknown kinds come last.
  return [...LOOKED_FOR, ...others.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))]
}

function rank(kind: string): number {
  return kind === NOT_TOLD ? 1 : 0
}

/** Columns end with the newest paper, so that the map does not depend on the clock. */
function columnsOf(rows: readonly Row[], width: number): EvidenceMap['years'] {
  const known = rows.flatMap(({ year }) => year ?? [])
  const columns: EvidenceMap['years'] = []
  if (known.length > 0) {
    const oldest = Math.min(...known)
    for (let to = Math.max(...known); to >= oldest; to -= width) {
      const from = to - width + 1
      columns.unshift({ label: width === 1 ? String(to) : `${from} to ${to}`, from, to })
    }
  }
  if (rows.some(({ year }) => year === null)) columns.push({ label: NO_YEAR, from: null, to: null })
  return columns
}

export function summaryOf({ papers, concepts, kinds, gaps }: EvidenceMap): string {
  const found = kinds.filter((kind) => kind !== NOT_TOLD).length
  return (
    `${plural(papers, 'included paper')} mapped by ${plural(concepts.length, 'concept')}, ` +
    `${plural(found, 'kind')} of study and year: ${plural(gaps.length, 'gap')}.`
  )
}
