/**
 * `npm run bench [-- names] [--quick] [--runs N] [--out file.json] [--profile]`: runs the benchmarks, prints a table for
 * each, and writes all results as JSON. It starts everything it needs on this machine and stops it at the end.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../dev/redis.ts'
import type { Bench } from './benchmark.ts'
import { Child, type ChildOptions } from './child.ts'
import { machine, type Result, table, writeJson } from './report.ts'
import { BENCHMARKS } from './suite.ts'

const RUNS = 5

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    out: { type: 'string', default: '.stagecast/bench/results.json' },
    profile: { type: 'boolean', default: false },
  },
})
const runs = Number(options.runs ?? (options.quick ? 1 : RUNS))
const unknown = positionals.filter((name) => !BENCHMARKS.some((one) => one.name === name))
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  const names = BENCHMARKS.map(({ name }) => name).join(', ')
  console.error(
    unknown.length > 0
      ? `Unknown benchmark ${unknown.join(', ')}; use one of ${names}`
      : '--runs must be a number from 1',
  )
  process.exit(1)
}
await main()

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-bench-'))
  const server = await startRedis({ dir })
  const redis = new Redis(server.url.slice('unix://'.length))
  const results: Result[] = []
  try {
    for (const benchmark of BENCHMARKS) {
      if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue
      say(`${benchmark.name} …`)
      const startedAt = performance.now()
      const children = new Set<Child>()
      const bench: Bench = {
        redisUrl: server.url,
        redis,
        runs,
        size: (full, quick) => (options.quick ? quick : full),
        prefix: () => `bench-${randomUUID().slice(0, 8)}`,
        async spawn(subject, childOptions = {}) {
          const child = await Child.start(subject, profiled(subject, childOptions))
          children.add(child)
          return child
        },
        say,
      }
      try {
        const rows = await benchmark.run(bench)
        const seconds = Math.round((performance.now() - startedAt) / 100) / 10
        results.push({ name: benchmark.name, title: benchmark.title, seconds, rows })
        console.log(`\n${table({ title: benchmark.title, rows })}\n`)
      } finally {
        for (const child of children) await child.stop()
        await redis.flushall()
      }
    }
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown'
    writeJson(options.out, {
      machine: machine(version),
      quick: options.quick,
      runs,
      load: loadavg(),
      results,
    })
    say(`written: ${options.out}`)
  } finally {
    redis.disconnect()
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Prints progress, separate from the results. */
function say(line: string): void {
  console.error(line)
}

/** With `--profile` every program writes a CPU profile that a browser's developer tools can open. */
function profiled(subject: string, { env, flags = [] }: ChildOptions): ChildOptions {
  if (!options.profile) return { ...(env && { env }), flags }
  const where = [
    '--cpu-prof-dir=.stagecast/bench/profiles',
    `--cpu-prof-name=${subject}-${Date.now()}.cpuprofile`,
  ]
  return { ...(env && { env }), flags: [...flags, '--cpu-prof', ...where] }
}
