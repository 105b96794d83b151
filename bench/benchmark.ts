/** A benchmark has a name, a question, and rows that answer it. */
import type { Redis } from 'ioredis'
import type { Child, ChildOptions } from './child.ts'
import type { Summary } from './statistics.ts'

export interface Benchmark {
  /** Its name on the command line. */
  name: string
  title: string
  run(bench: Bench): Promise<Row[]>
}

/** One line of a result: a subject's figure, and its ratio to what was measured in the same run. */
export interface Row {
  what: string
  unit: string
  subject: string
  figure: Summary
  /** What the subject is compared with. */
  floor?: { name: string; figure: Summary }
  /** Subject divided by floor, for each pair of measurements. */
  ratio?: Summary
  /** Target for the median ratio, or for the figure without a floor. */
  target?: { at: 'least' | 'most'; value: number }
  note?: string
}

/** The tools of a benchmark. */
export interface Bench {
  redisUrl: string
  /** For the benchmark's own commands. */
  redis: Redis
  /** Number of interleaved measurements per subject. */
  runs: number
  /** Returns `full`, or `quick` in a quick run, which only checks that everything works. */
  size(full: number, quick: number): number
  /** A new key prefix. */
  prefix(): string
  /** Starts a program from `subjects/`. It is stopped after the benchmark. */
  spawn(subject: string, options?: ChildOptions): Promise<Child>
  say(line: string): void
}
