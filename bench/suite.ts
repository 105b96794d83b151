/** All benchmarks, in the order in which they run. */
import type { Benchmark } from './benchmark.ts'
import { broadcast } from './broadcast.ts'
import { cost } from './cost.ts'
import { execute } from './execute.ts'
import { facts } from './facts.ts'
import { goingOn } from './going-on.ts'
import { growth } from './growth.ts'
import { isolation } from './isolation.ts'
import { jobs } from './jobs.ts'
import { latency } from './latency.ts'
import { literature } from './literature.ts'
import { memory } from './memory.ts'
import { peers } from './peers.ts'
import { questions } from './questions.ts'
import { reconnect } from './reconnect.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { steps } from './steps.ts'

export const BENCHMARKS: readonly Benchmark[] = [
  execute,
  status,
  jobs,
  goingOn,
  latency,
  steps,
  broadcast,
  memory,
  reconnect,
  cost,
  start,
  peers,
  growth,
  isolation,
  literature,
  questions,
  facts,
]
