/** The progress of a job: one line redrawn on a terminal, one line a step everywhere else. */
import type { JobError } from '../../../contract/events.ts'
import type { JobEventData } from '../../../contract/job-event.ts'
import { cut } from './terminal-text.ts'

export interface ProgressOutput {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

const BAR_WIDTH = 30
const DEFAULT_COLUMNS = 80

/** What it shows of an event. */
export interface Shown extends Pick<JobEventData, 'progress' | 'attempt' | 'message'> {
  error?: JobError
}

export interface ProgressBar {
  show(news: Shown): void
  /** Leaves the last state standing and goes to the next line. */
  end(): void
}

export function progressBar(output: ProgressOutput): ProgressBar {
  let drawn = false
  return {
    show({ progress, attempt, message, error }) {
      const percent = `${String(Math.floor(progress)).padStart(3)} %`
      const text = error ? `${message} (${error.code}: ${error.message})` : message
      const told = `${percent}  attempt ${attempt}  ${text}`
      if (!output.isTTY) {
        output.write(`${cut(told, 500)}\n`)
        return
      }
      const filled = Math.round((progress / 100) * BAR_WIDTH)
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
      // Back to the first column, then the rest of the old line away; one column short, or it would wrap.
      output.write(`\r${cut(`${bar} ${told}`, (output.columns ?? DEFAULT_COLUMNS) - 1)}\x1b[K`)
      drawn = true
    },
    end() {
      if (drawn) output.write('\n')
      drawn = false
    },
  }
}
