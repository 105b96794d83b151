/** What a benchmark is: a name, a question, and rows that answer it. */
import type { Redis } from 'ioredis'
import type { Child, ChildOptions } from './child.ts'
import type { Summary } from './statistics.ts'

export interface Benchmark {
  /** How it is called on the command line. */
  name: string
  title: string
  run(bench: Bench): Promise<Row[]>
}

/** One line of a result: a subject's figure, and how it stands to what was measured beside it in the same run. */
export interface Row {
  what: string
  unit: string
  subject: string
  figure: Summary
  /** What the subject is held against. */
  floor?: { name: string; figure: Summary }
  /** Subject to floor, of each pair of measurements. */
  ratio?: Summary
  /** What the median ratio, or without a floor the figure, should reach. */
  target?: { at: 'least' | 'most'; value: number }
  note?: string
}

/** What a benchmark is given. */
export interface Bench {
  redisUrl: string
  /** For what a benchmark does to Redis itself. */
  redis: Redis
  /** Measurements of each subject, interleaved. */
  runs: number
  /** `full` as it is, `quick` in a quick run, which only shows that everything works. */
  size(full: number, quick: number): number
  /** A key prefix that nobody has used. */
  prefix(): string
  /** Starts a program of `subjects/`; it ends with the benchmark. */
  spawn(subject: string, options?: ChildOptions): Promise<Child>
  say(line: string): void
}
