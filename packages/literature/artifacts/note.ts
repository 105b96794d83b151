/** What a reader of a single reference must know. */
import type { Paper } from '../paper.ts'

export function noteOf({ source, preprint }: Paper): string | null {
  if (source === 'sample') return preprint ? 'Invented sample record, preprint' : 'Invented sample record'
  return preprint ? 'Preprint' : null
}
