/** Follows watched workflows and reads them page by page. */
import fp from 'fastify-plugin'
import type { JobSnapshot } from '../contract/job.ts'
import type { WorkflowEvent } from '../contract/job-event.ts'
import { isOfRun, ORDER_CAPACITY, type Place, parsePlace, runEventId } from '../journal/order.ts'
import type { JobRecord } from '../journal/reader.ts'
import { Feeds } from '../watch/feeds.ts'
import { TOUCHING } from '../watch/tail.ts'
import { type RunRecord, WorkflowFeed, type WorkflowRecord } from '../watch/workflow-feed.ts'

/** Events of a workflow after a position. */
export interface WorkflowPage {
  events: WorkflowEvent[]
  /** The position of the last of them. */
  cursor: string
  /** Whether more events follow. */
  more: boolean
  /** Set if events are missing: the current states of the jobs. */
  gap?: { jobs: JobSnapshot[] }
}

declare module './core.ts' {
  interface Stagecast {
    /** Feeds of workflows, by the name that `workflowName` gives. */
    workflows: Feeds<WorkflowFeed> & {
      exists(name: string): Promise<boolean>
      /** The next page of events after `cursor`; null if the workflow does not exist. */
      page(name: string, cursor: string): Promise<WorkflowPage | null>
    }
  }
}

const FEEDS_PER_READ = 20
const JOBS_PER_CALL = 20
/** How many of the newest places a feed reads after an announcement. */
const NEWEST = 64
const EVENTS_PER_PAGE = 250
/** Maximum jobs read per workflow, newest first. Anything older becomes a gap. */
const MAX_JOBS = 2000
const MAX_BYTES = 33_554_432

export default fp(
  async (app) => {
    const { journal, redis } = app.stagecast
    const owners = new Map<string, WorkflowFeed>()
    const feeds = new Feeds<WorkflowFeed>(
      {
        wake: app.stagecast.tail.wake,
        perRead: FEEDS_PER_READ,
        create: (name) => new WorkflowFeed(name, owners),
        forgotten: (feed) => feed.forget(),
        read,
      },
      app.log,
    )
    app.stagecast.workflows = Object.assign(feeds, { exists, page })
    app.addHook('preClose', async () => feeds.release())
    app.addHook('onClose', async () => feeds.close())

    app.stagecast.tail.listen({
      watching: () => !feeds.isEmpty,
      heard(message) {
        const feed = message.workflow ? feeds.get(message.workflow) : owners.get(message.jobId)
        if (!feed) return
        if (message.event === 'deleted') {
          feed.drop(message.jobId)
          feeds.refresh(feed)
        } else if (!message.workflow) {
          if (TOUCHING.has(message.event) && feed.touch(message.jobId)) feeds.catchUp(feed)
        } else if (feed.append(message)) feeds.notify(feed)
        else feeds.catchUp(feed)
      },
      resynced: () => feeds.catchUpAll(),
    })

    async function exists(name: string): Promise<boolean> {
      return (await app.stagecast.fromRedis(redis.exists(keyOf(name)))) === 1
    }

    async function page(name: string, cursor: string): Promise<WorkflowPage | null> {
      const [order = []] = await app.stagecast.fromRedis(orders([[name, 0]]))
      const last = order.at(-1)
      if (!last) return null
      const isCut = order.length >= ORDER_CAPACITY
      const seen = order.findIndex(({ position }) => position === cursor)
      const places = order.slice(seen + 1, seen + 1 + EVENTS_PER_PAGE)
      const feed = new WorkflowFeed(name)
      const record = { places, isWhole: true, isCut: isCut && seen < 0, records: await recordsOf(places) }
      feed.take(record, 0)
      if ((seen < 0 && cursor !== '') || !feed.isReplayable('')) {
        const records = await recordsOf(order)
        const jobs = [...records.values()].flatMap((one) => (one && 'snapshot' in one ? one.snapshot : []))
        return { events: [], cursor: last.position, more: false, gap: { jobs } }
      }
      const events = feed.events.flatMap(({ id, event, data }) =>
        event && data ? [{ id, event, data } as WorkflowEvent] : [],
      )
      const end = places.at(-1)?.position ?? cursor
      return { events, cursor: end, more: end !== last.position }
    }

    async function read(batch: readonly WorkflowFeed[], asOf: number): Promise<void> {
      const wanted = batch.map((feed) => ({
        feed,
        head: feed.head,
        isWhole: feed.wantsWhole,
        doubtful: [...feed.doubtful],
      }))
      for (const { feed } of wanted) {
        feed.wantsWhole = false
        feed.doubtful.clear()
      }
      const newest = await orders(wanted.map(({ feed, isWhole }) => [feed.key, isWhole ? 0 : -NEWEST]))
      const read = await Promise.all(
        wanted.map(async ({ feed, head, isWhole, doubtful }, i): Promise<WorkflowRecord | null> => {
          let places = newest[i] as Place[]
          if (!isWhole && !has(places, head)) places = (await orders([[feed.key, 0]]))[0] as Place[]
          if (places.length === 0) return null
          // Redis has lost the known events, or they are so old that the order has dropped them.
          const whole = isWhole || !has(places, head)
          const isCut = whole && places.length >= ORDER_CAPACITY
          if (!whole) places = places.filter(({ position }) => position > head)
          return { places, isWhole: whole, isCut, records: await recordsOf(places, doubtful) }
        }),
      )
      for (const [i, { feed }] of wanted.entries()) {
        const record = read[i]
        // The feed was dropped meanwhile. Nothing would ever remove what is added to it now.
        if (feeds.get(feed.key) !== feed) continue
        if (record) feed.take(record, asOf)
        else feed.gone = true
      }
    }

    /** Reads the orders of several workflows, each from its index on, in one round trip. */
    async function orders(asked: [name: string, from: number][]): Promise<Place[][]> {
      const reads = asked.map(([name, from]) => redis.lrange(keyOf(name), from, -1))
      return (await app.stagecast.fromRedis(Promise.all(reads))).map((lines) => lines.map(parsePlace))
    }

    /** Reads the jobs that the places refer to, newest first up to the limit, plus `more`. */
    async function recordsOf(places: Place[], more: string[] = []): Promise<WorkflowRecord['records']> {
      const runIds = new Set(places.flatMap(({ jobId, eventId }) => (isOfRun(eventId) ? [jobId] : [])))
      const jobIds = places.flatMap(({ jobId }) => (runIds.has(jobId) ? [] : [jobId]))
      const ids = [...new Set(jobIds.reverse()), ...more]
      const records: WorkflowRecord['records'] = new Map(await runRecords([...runIds]))
      let bytes = 0
      for (
        let start = 0;
        start < ids.length && start < MAX_JOBS && bytes < MAX_BYTES;
        start += JOBS_PER_CALL
      ) {
        const some = ids.slice(start, start + JOBS_PER_CALL)
        const found = await journal.records(some)
        for (const [i, id] of some.entries()) {
          const record = found[i] ?? null
          records.set(id, record)
          bytes += record?.size ?? 0
          if (record) placeAbandoned(record)
        }
      }
      return records
    }

    /** The logs of runs; null for one that has vanished. */
    async function runRecords(ids: string[]): Promise<[string, RunRecord | null][]> {
      const reads = ids.map((id) => redis.lrange(journal.keys.own('run', id, 'log'), 0, -1))
      const logs = await app.stagecast.fromRedis(Promise.all(reads))
      return ids.map((id, i) => {
        const lines = logs[i] ?? []
        const events = lines.map((line, at) => ({ id: runEventId(at + 1), ...JSON.parse(line) }))
        const size = lines.reduce((sum, line) => sum + line.length, 0)
        return [id, lines.length > 0 ? { events, size } : null]
      })
    }

    /** Adds the end of a job that no worker ended to its workflow's order. The first process to see the end does this. */
    function placeAbandoned({ snapshot, events }: JobRecord): void {
      const end = events.at(-1)
      if (!end?.id.endsWith('9')) return
      const origin = { ...snapshot.data, job_id: snapshot.job_id }
      journal
        .place(origin, end.id)
        .catch((err: Error) => app.log.debug({ err }, 'the end of a job is not in its workflow yet'))
    }

    function keyOf(name: string): string {
      return journal.keys.own('order', name)
    }
  },
  { name: 'workflows', dependencies: ['journal', 'tail'] },
)

function has(places: Place[], position: string): boolean {
  return places.some((place) => place.position === position)
}
