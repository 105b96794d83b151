/** Metrics of a worker process; what its jobs came to is counted in Redis and told by every API process. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { StageWorker } from './stage-worker.ts'

const CIRCUITS = { closed: 'closed', open: 'open', half_open: 'half-open' } as const

/** All metrics as text, in the format of Prometheus. `worker` is asked for at each scrape. */
export function workerMetrics(worker: () => Pick<StageWorker, 'state' | 'reconnects'>) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  addWorkerMetrics(registry, worker)
  new Counter({
    name: 'stagecast_redis_reconnects_total',
    help: 'Connections to Redis made anew, by what they are for',
    ...{ labelNames: ['connection'], registers },
    collect() {
      this.reset()
      for (const [connection, times] of Object.entries(worker().reconnects())) this.inc({ connection }, times)
    },
  })
  return async () => ({ contentType: registry.contentType, text: await registry.metrics() })
}

/** What a worker tells of itself, to be told along with what else its process has. */
export function addWorkerMetrics(registry: Registry, worker: () => Pick<StageWorker, 'state'>): void {
  const registers = [registry]
  new Gauge({
    ...{ name: 'stagecast_worker_jobs_running', help: 'Jobs that this process runs', registers },
    collect() {
      this.set(worker().state().running)
    },
  })
  new Gauge({
    name: 'stagecast_worker_circuit_state',
    help: '1 for the worst state that a circuit of this process to the service of a stage is in',
    ...{ labelNames: ['circuit'], registers },
    collect() {
      const { circuit } = worker().state()
      for (const [label, state] of Object.entries(CIRCUITS))
        this.set({ circuit: label }, circuit === state ? 1 : 0)
    },
  })
}
