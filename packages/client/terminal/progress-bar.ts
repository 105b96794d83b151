/** A job's progress: one line redrawn on a terminal, one line per step elsewhere. */
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

/** The parts of an event that are shown. */
export interface Shown extends Pick<JobEventData, 'progress' | 'attempt' | 'message'> {
  error?: JobError
}

export interface ProgressBar {
  show(news: Shown): void
  /** Keeps the last state on the screen and starts a new line. */
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
      // Return to column one and erase the rest of the old line. One column short, or it would wrap.
      output.write(`\r${cut(`${bar} ${told}`, (output.columns || DEFAULT_COLUMNS) - 1)}\x1b[K`)
      drawn = true
    },
    end() {
      if (drawn) output.write('\n')
      drawn = false
    },
  }
}
