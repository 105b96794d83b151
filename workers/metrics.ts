/** Metrics of a worker process. Job counts are kept in Redis and reported by every API process. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { StageWorker } from './stage-worker.ts'

const CIRCUITS = { closed: 'closed', open: 'open', half_open: 'half-open' } as const

/** All metrics in the Prometheus text format. `worker` is called at each scrape. */
export function workerMetrics(worker: () => Pick<StageWorker, 'state' | 'reconnects'>) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  addWorkerMetrics(registry, worker)
  new Counter({
    name: 'stagecast_redis_reconnects_total',
    help: 'Reconnects to Redis, by purpose of the connection',
    labelNames: ['connection'],
    registers,
    collect() {
      this.reset()
      for (const [connection, times] of Object.entries(worker().reconnects())) this.inc({ connection }, times)
    },
  })
  return async () => ({ contentType: registry.contentType, text: await registry.metrics() })
}

/** Adds what a worker reports about itself to the metrics of its process. */
export function addWorkerMetrics(registry: Registry, worker: () => Pick<StageWorker, 'state'>): void {
  const registers = [registry]
  new Gauge({
    name: 'stagecast_worker_jobs_running',
    help: 'Jobs running in this process',
    registers,
    collect() {
      this.set(worker().state().running)
    },
  })
  new Gauge({
    name: 'stagecast_worker_circuit_state',
    help: '1 for the worst state among the circuits of this process',
    labelNames: ['circuit'],
    registers,
    collect() {
      const { circuit } = worker().state()
      for (const [label, state] of Object.entries(CIRCUITS))
        this.set({ circuit: label }, circuit === state ? 1 : 0)
    },
  })
}
