/** Prometheus metrics of this process and, read from Redis, of the fleet. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Fleet } from './fleet.ts'
import { addFleetMetrics } from './fleet-metrics.ts'

declare module './core.ts' {
  interface Stagecast {
    /** All metrics as text, within `REDIS_WITHIN_MS` even if Redis is unavailable. */
    metrics(): Promise<{ contentType: string; text: string }>
    /** The registry, for other code in this process. */
    metricsRegistry: Registry
  }
}

/** How long a scrape waits for Redis before it omits the fleet. */
const REDIS_WITHIN_MS = 2500
/** Bucket bounds of response times. */
const ANSWERS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export default fp<{ registry?: Registry | undefined }>(
  async (app, options) => {
    const registry = options.registry ?? new Registry()
    let reconnects = 0
    // The first attempt to connect is over by now, so every later connection is a reconnect.
    app.stagecast.redis.on('ready', () => {
      reconnects += 1
    })
    // A registry passed in belongs to a host that already measures its process.
    if (!options.registry) collectDefaultMetrics({ register: registry })
    countProcess()
    timeRequests()

    new Gauge({
      name: 'stagecast_redis_up',
      help: '1 if Redis answered for this scrape; if 0, the fleet metrics are omitted',
      registers: [registry],
      async collect() {
        this.set((await readFleet()) ? 1 : 0)
      },
    })
    addFleetMetrics(registry, readFleet)
    app.stagecast.metricsRegistry = registry
    app.stagecast.metrics = async () => ({
      contentType: registry.contentType,
      text: await registry.metrics(),
    })

    /** Cached for about a second, so that one scrape reports one reading. */
    function readFleet(): Promise<Fleet | null> {
      let timer: NodeJS.Timeout
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, REDIS_WITHIN_MS, null)
      })
      const read = app.stagecast.fleet.read().catch(() => null)
      return Promise.race([read, late]).finally(() => clearTimeout(timer))
    }

    /** Exports the counters of the plugins. */
    function countProcess(): void {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({ name, help, registers: [registry], collect: onCollect(read) })
      const counter = (name: string, help: string, read: () => number) =>
        new Counter({
          name,
          help,
          registers: [registry],
          collect() {
            this.reset()
            this.inc(read())
          },
        })
      const { counts } = app.stagecast.streams
      gauge('stagecast_streams_open', 'Event streams open in this process', () => app.stagecast.streams.size)
      gauge('stagecast_jobs_watched', 'Jobs watched in this process', () => app.stagecast.progress.watched)
      counter('stagecast_events_sent_total', 'Events written to event streams', () => counts.events)
      counter(
        'stagecast_replays_total',
        'Event streams that resumed after an event their client had',
        () => counts.replays,
      )
      counter(
        'stagecast_gaps_total',
        'Gaps sent to clients whose next events are no longer stored',
        () => counts.gaps,
      )
      counter(
        'stagecast_slow_clients_dropped_total',
        'Event streams closed because their client did not read',
        () => counts.dropped,
      )
      new Counter({
        name: 'stagecast_redis_reconnects_total',
        help: 'Reconnects to Redis, by purpose of the connection',
        labelNames: ['connection'],
        registers: [registry],
        collect() {
          this.reset()
          this.inc({ connection: 'commands' }, reconnects)
          this.inc({ connection: 'reader' }, app.stagecast.tail.reconnects)
        },
      })
    }

    /** Labels by route template: real paths would create unlimited labels. */
    function timeRequests(): void {
      const durations = new Histogram({
        name: 'stagecast_http_request_duration_seconds',
        help: 'Response times by route; long polls wait on purpose, event streams are excluded',
        labelNames: ['method', 'route', 'status'],
        buckets: ANSWERS_SECONDS,
        registers: [registry],
      })
      app.addHook('onResponse', (request, reply, done) => {
        const route = request.routeOptions.url ?? 'none'
        // An event stream lasts as long as its client wants; other metrics cover it.
        if (!route.endsWith('/events'))
          durations.observe(labelsOf(request, reply, route), reply.elapsedTime / 1000)
        done()
      })
    }
  },
  { name: 'metrics', dependencies: ['fleet', 'streams', 'tail'] },
)

function onCollect(read: () => number): (this: Gauge) => void {
  return function () {
    this.set(read())
  }
}

/** Counts the execute routes of all stages as one. */
function labelsOf({ method }: FastifyRequest, { statusCode }: FastifyReply, route: string) {
  return { method, route: route.replace(/\/\d+\/execute$/, '/:stage/execute'), status: String(statusCode) }
}
