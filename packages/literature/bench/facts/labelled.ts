/** An abstract with what a reader says of it. All are invented; they imitate how abstracts of each field are written. */
import type { StudyType } from '../../../../contract/literature.ts'

export interface Labelled {
  field: string
  title: string
  /** Sections begin a line with `Label: `, as the review has them. */
  abstract: string
  /** Null where a careful reader could not tell. */
  kind: StudyType | null
  /** How many the study itself has in all; null where the abstract does not say. */
  size: number | null
  publication_types?: string[]
  mesh?: string[]
}
