/** One invented record, with the fields a literature database gives. */
export interface SampleRecord {
  /** `sample-` and three digits. */
  id: string
  title: string
  /** As databases print it: `Surname AB, Surname C.` */
  authorString: string
  pubYear: number
  journal: string
  /** Under 10.5555, the prefix for tests, which resolves to no work. */
  doi: string
  abstractText: string | null
  pubTypes: string[]
  citedByCount: number
  /** ISO 639-1. */
  language: string
  /** Ids of other versions of the same work. */
  related?: string[]
}
