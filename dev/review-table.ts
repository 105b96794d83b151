/** A literature review as a short table for people. */
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { cut, fit, plain } from '../packages/client/terminal/terminal-text.ts'

/** The displayed fields of `literature_review.json`. */
const Review = Type.Object({
  question: Type.String(),
  notice: Type.Union([Type.String(), Type.Null()]),
  counts: Type.Object({
    identified: Type.Integer(),
    unusable: Type.Integer(),
    duplicates: Type.Integer(),
    screened: Type.Integer(),
    excluded: Type.Integer(),
    excluded_by_rule: Type.Record(Type.String(), Type.Integer()),
    uncertain: Type.Integer(),
    uncertain_by_rule: Type.Record(Type.String(), Type.Integer()),
    included: Type.Integer(),
  }),
  papers: Type.Array(
    Type.Object({
      rank: Type.Integer(),
      year: Type.Union([Type.Integer(), Type.Null()]),
      title: Type.String(),
      study_type: Type.Union([Type.Object({ type: Type.String() }), Type.Null()]),
      ranking: Type.Object({ score: Type.Number() }),
    }),
  ),
})

const SHOWN_PAPERS = 15
const RANK = 3
const YEAR = 4
const KIND = 27
const SCORE = 6
const GAPS = 8

/** Throws if `artifact` is not a literature review. */
export function reviewTable(artifact: unknown, width: number): string {
  if (!Value.Check(Review, artifact)) {
    const { path, message } = Value.Errors(Review, artifact).First() ?? {}
    throw new Error(`literature_review.json does not have the expected form: ${path} ${message}`)
  }
  const { papers, notice } = artifact
  const title = Math.max(20, width - RANK - YEAR - KIND - SCORE - GAPS)
  const row = (rank: string, year: string, kind: string, text: string, score: string) =>
    [rank.padStart(RANK), year.padEnd(YEAR), fit(kind, KIND), fit(text, title), score.padStart(SCORE)].join(
      '  ',
    )

  const lines = [row('#', 'Year', 'Kind of study', 'Title', 'Score')]
  lines.push('─'.repeat(RANK + YEAR + KIND + title + SCORE + GAPS))
  for (const { rank, year, study_type, title, ranking } of papers.slice(0, SHOWN_PAPERS)) {
    const kind = study_type?.type.replaceAll('_', ' ') ?? '–'
    lines.push(row(String(rank), String(year ?? '–'), kind, title, ranking.score.toFixed(4)))
  }
  if (papers.length > SHOWN_PAPERS) lines.push(`     … and ${papers.length - SHOWN_PAPERS} more in the file`)
  lines.push('', counts(artifact))
  if (notice) lines.push(`Note: ${plain(notice)}`)
  return lines.join('\n')
}

function counts({ counts: all }: Static<typeof Review>) {
  const { identified, unusable, duplicates, screened, excluded, uncertain, included } = all
  const lost = unusable > 0 ? `, ${unusable} without a title` : ''
  return (
    `${identified} records found: ${duplicates} duplicates${lost}, ${screened} papers screened.\n` +
    `Of these ${included} included, ${excluded} excluded${why(all.excluded_by_rule)}, ` +
    `${uncertain} uncertain${why(all.uncertain_by_rule)}.`
  )
}

function why(rules: Record<string, number>): string {
  const parts = Object.entries(rules).map(([rule, count]) => `${rule.replaceAll('_', ' ')} ${count}`)
  return parts.length > 0 ? ` (${cut(parts.join(', '), 200)})` : ''
}
