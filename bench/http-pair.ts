/** One route against another, under the same load: rates, latencies, and CPU time, which noise affects least. */
import type { Bench, Row } from './benchmark.ts'
import type { Child } from './child.ts'
import { load } from './http-load.ts'
import { type Figures, interleave } from './interleave.ts'

export const CONNECTIONS = 50

export interface Side {
  name: string
  /** Starts a new process for each measurement, because each run optimises its code differently. */
  start(): Promise<Child>
  request(connection: number): string
}

export interface Pair {
  ours: Side
  floor: Side
  /** The status of every answer. */
  status: number
  /** Called before each measurement. */
  prepare?(): Promise<unknown>
  /** Share of the floor's rate to reach. */
  target?: number
  /** Maximum ratio to the floor's p99. */
  slowest?: number
  /** Appended to the name of each row. */
  label?: string
}

export async function httpRows(bench: Bench, pair: Pair): Promise<Row[]> {
  const { ours, floor, label = '' } = pair
  const measure = async ({ start, request }: Side): Promise<Figures> => {
    const child = await start()
    const run = (ms: number) =>
      load({ port: child.port, connections: CONNECTIONS, ms, request, status: pair.status })
    await pair.prepare?.()
    // Give V8 time to compile the hot code.
    await run(bench.size(4000, 50))
    await pair.prepare?.()
    const [before, redisBefore] = [await child.usage(), await redisCpu(bench)]
    const figures = await run(bench.size(4000, 150))
    const [after, redisAfter] = [await child.usage(), await redisCpu(bench)]
    await child.stop()
    return {
      ...figures,
      cpu: (after.cpu - before.cpu) / figures.requests,
      redis: (redisAfter - redisBefore) / figures.requests,
    }
  }
  const subjects = { [ours.name]: () => measure(ours), [floor.name]: () => measure(floor) }
  const series = await interleave(bench.runs, subjects, false)
  const row = (what: string, unit: string, figure: string, target?: Row['target']): Row => ({
    what: `${what}${label}`,
    unit,
    subject: ours.name,
    figure: series.summary(ours.name, figure),
    floor: { name: floor.name, figure: series.summary(floor.name, figure) },
    ratio: series.ratio(ours.name, floor.name, figure),
    ...(target && { target }),
  })
  return [
    row('requests', '/s', 'perSecond', pair.target ? { at: 'least', value: pair.target } : undefined),
    row('latency p50', 'ms', 'p50'),
    row('latency p99', 'ms', 'p99', pair.slowest ? { at: 'most', value: pair.slowest } : undefined),
    row('server CPU per request', 'µs', 'cpu'),
    row('Redis CPU per request', 'µs', 'redis'),
  ]
}

/** CPU time that Redis has used, in µs. */
export async function redisCpu({ redis }: Bench): Promise<number> {
  const info = await redis.info('cpu')
  const seconds = (name: string) => Number(new RegExp(`${name}:(\\S+)`).exec(info)?.[1])
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
}
