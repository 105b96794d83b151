/** All benchmarks, in the order in which they run. */
import type { Benchmark } from './benchmark.ts'
import { execute } from './execute.ts'
import { jobs } from './jobs.ts'
import { latency } from './latency.ts'
import { status } from './status.ts'

export const BENCHMARKS: readonly Benchmark[] = [execute, status, jobs, latency]
