/** One reference to be written: the paper, its key, and what the screening said of it. */
import type { Paper } from '../paper.ts'
import type { Screening } from '../screen.ts'

export interface Reference {
  paper: Paper
  key: string
  screening?: Screening | undefined
}
