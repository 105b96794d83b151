/** An abstract with a reader's labels. All abstracts are invented, in the style of their field. */
import type { StudyType } from '../../../../contract/literature.ts'

export interface Labelled {
  field: string
  title: string
  /** Sections begin a line with `Label: `, as the review has them. */
  abstract: string
  /** Null if a careful reader could not tell. */
  kind: StudyType | null
  /** The total sample size of the study itself; null if the abstract does not state it. */
  size: number | null
  publication_types?: string[]
  mesh?: string[]
}
