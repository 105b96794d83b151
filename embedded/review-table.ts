/** A literature review as a short table for people. */
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { cut, fit, plain } from '../terminal/terminal-text.ts'

/** What is shown of `literature_review.json`; the file holds more. */
const Review = Type.Object({
  question: Type.String(),
  notice: Type.Union([Type.String(), Type.Null()]),
  counts: Type.Object({
    read: Type.Integer(),
    identified: Type.Integer(),
    excluded: Type.Integer(),
    excluded_by_reason: Type.Record(Type.String(), Type.Integer()),
    included: Type.Integer(),
  }),
  papers: Type.Array(
    Type.Object({
      rank: Type.Integer(),
      year: Type.Integer(),
      title: Type.String(),
      study_type: Type.Object({ type: Type.String() }),
      score: Type.Number(),
    }),
  ),
})

const SHOWN_PAPERS = 15
const RANK = 3
const YEAR = 4
const KIND = 27
const SCORE = 6
const GAPS = 8

/** Throws when `artifact` is no literature review. */
export function reviewTable(artifact: unknown, width: number): string {
  if (!Value.Check(Review, artifact)) {
    const { path, message } = Value.Errors(Review, artifact).First() ?? {}
    throw new Error(`literature_review.json is not as expected: ${path} ${message}`)
  }
  const { papers, notice } = artifact
  const title = Math.max(20, width - RANK - YEAR - KIND - SCORE - GAPS)
  const row = (rank: string, year: string, kind: string, text: string, score: string) =>
    [rank.padStart(RANK), year.padEnd(YEAR), fit(kind, KIND), fit(text, title), score.padStart(SCORE)].join(
      '  ',
    )

  const lines = [row('#', 'Year', 'Kind of study', 'Title', 'Score')]
  lines.push('─'.repeat(RANK + YEAR + KIND + title + SCORE + GAPS))
  for (const { rank, year, study_type, title, score } of papers.slice(0, SHOWN_PAPERS)) {
    lines.push(row(String(rank), String(year), study_type.type.replaceAll('_', ' '), title, score.toFixed(2)))
  }
  if (papers.length > SHOWN_PAPERS) lines.push(`     … and ${papers.length - SHOWN_PAPERS} more in the file`)
  lines.push('', counts(artifact))
  if (notice) lines.push(`Note: ${plain(notice)}`)
  return lines.join('\n')
}

function counts({
  counts: { read, identified, excluded, excluded_by_reason, included },
}: Static<typeof Review>) {
  const reasons = Object.entries(excluded_by_reason).map(
    ([reason, count]) => `${reason.replaceAll('_', ' ')} ${count}`,
  )
  const why = reasons.length > 0 ? ` (${cut(reasons.join(', '), 200)})` : ''
  return `${read} records read, ${identified} match the question, ${excluded} excluded${why}, ${included} included.`
}
