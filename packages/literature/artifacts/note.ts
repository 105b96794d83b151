/** Warnings for the reader of a single reference. */
import type { Paper } from '../paper.ts'
import type { Screening } from '../screen.ts'

export function noteOf(
  { source, preprint, retracted, notices }: Paper,
  screening?: Screening,
): string | null {
  const marks = notices.map(({ type, doi, pmid }) => {
    const where = doi ? ` (doi ${doi})` : pmid ? ` (PMID ${pmid})` : ''
    return `${type.replaceAll('_', ' ')}${where}`
  })
  const notes = [
    source === 'sample' ? 'Invented sample record' : '',
    preprint ? 'Preprint' : '',
    retracted ? 'Retracted or withdrawn' : '',
    marks.length > 0 ? `Notices: ${marks.join(', ')}` : '',
    screening && screening.rule !== 'all' ? `${capitalised(screening.decision)}: ${screening.reason}` : '',
  ].filter((note) => note !== '')
  return notes.length > 0 ? notes.join('; ') : null
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
