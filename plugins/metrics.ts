/** Metrics in the format of Prometheus: of this process, and of the fleet as Redis has it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Fleet } from './fleet.ts'
import { addFleetMetrics } from './fleet-metrics.ts'
import { Durations, histogramValues } from './histogram.ts'

declare module './core.ts' {
  interface Stagecast {
    /** All metrics as text. Comes within `REDIS_WITHIN_MS`, also with Redis away. */
    metrics(): Promise<{ contentType: string; text: string }>
    /** What they are read from, for those who share the process. */
    metricsRegistry: Registry
  }
}

/** How long a scrape waits for Redis before it does without. */
const REDIS_WITHIN_MS = 2500
/** Bounds of the buckets of answer times. */
const ANSWERS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000]

export default fp<{ registry?: Registry | undefined }>(
  async (app, options) => {
    const registry = options.registry ?? new Registry()
    let reconnects = 0
    // Assembled when the first connection stands or has failed; every one from here on is made anew.
    app.stagecast.redis.on('ready', () => {
      reconnects += 1
    })
    // One that was given belongs to somebody who measures the process already.
    if (!options.registry) collectDefaultMetrics({ register: registry })
    countProcess()
    timeRequests()

    new Gauge({
      name: 'stagecast_redis_up',
      help: '1 when Redis has told the figures of the fleet for this scrape; without it they are left out',
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

    /** Fresh for about a second, so that one scrape tells of one reading. */
    function readFleet(): Promise<Fleet | null> {
      let timer: NodeJS.Timeout
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, REDIS_WITHIN_MS, null)
      })
      const read = app.stagecast.fleet.read().catch(() => null)
      return Promise.race([read, late]).finally(() => clearTimeout(timer))
    }

    /** What the plugins count by themselves. */
    function countProcess(): void {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({ name, help, registers: [registry], collect: onCollect(read) })
      const counter = (name: string, help: string, read: () => number) =>
        new Counter({
          ...{ name, help, registers: [registry] },
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
        'Event streams that were opened behind an event their client had, and went on from there',
        () => counts.replays,
      )
      counter(
        'stagecast_gaps_total',
        'Clients told that events behind theirs are no longer kept',
        () => counts.gaps,
      )
      counter(
        'stagecast_slow_clients_dropped_total',
        'Event streams cut because their client took nothing for long',
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

    /** By the template of the route: its parameters would be labels without end. */
    function timeRequests(): void {
      const name = 'stagecast_http_request_duration_seconds'
      const help = 'How long answers took, by route; long polls wait on purpose, event streams are left out'
      /** By labels, and by what tells the labels at less cost. */
      const series = new Map<string, { labels: Record<string, string>; durations: Durations }>()
      const known = new Map<string, Durations>()
      const find = (labels: Record<string, string>): Durations => {
        const name = JSON.stringify(labels)
        const one = series.get(name) ?? { labels, durations: new Durations(ANSWERS_MS) }
        series.set(name, one)
        return one.durations
      }
      app.addHook('onResponse', (request, reply, done) => {
        const route = request.routeOptions.url ?? 'none'
        // An event stream lasts for as long as its client likes; whatever it was told is told by other metrics.
        if (!route.endsWith('/events')) {
          const key = `${request.method} ${route} ${reply.statusCode}`
          const durations = known.get(key) ?? find(labelsOf(request, reply, route))
          known.set(key, durations)
          durations.observe(reply.elapsedTime)
        }
        done()
      })
      const type = 'histogram'
      const get = async () => {
        const values = Array.from(series.values(), ({ labels, durations }) =>
          histogramValues(name, ANSWERS_MS, durations, labels),
        )
        return { name, help, type, values: values.flat() }
      }
      registry.registerMetric({ name, help, type, get } as never)
    }
  },
  { name: 'metrics', dependencies: ['fleet', 'streams', 'tail'] },
)

function onCollect(read: () => number): (this: Gauge) => void {
  return function () {
    this.set(read())
  }
}

/** The twenty routes of execute are one. */
function labelsOf({ method }: FastifyRequest, { statusCode }: FastifyReply, route: string) {
  return { method, route: route.replace(/\/\d+\/execute$/, '/:stage/execute'), status: String(statusCode) }
}
