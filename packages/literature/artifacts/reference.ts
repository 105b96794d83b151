/** One reference: the paper, its key and its screening result. */
import type { Paper } from '../paper.ts'
import type { Screening } from '../screen.ts'

export interface Reference {
  paper: Paper
  key: string
  screening?: Screening | undefined
}
