/**
 * Clients watch whole workflows over one connection each while everything breaks: no event may be missing, repeated or
 * out of order. All clients see the same order, which agrees with the log of every job.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { JobEventData } from '../../contract/job-event.ts'
import { authorization, get, type Queued } from '../helpers/app.ts'
import { Comparison, persistently, troubledFleet } from '../helpers/chaos.ts'
import { RestlessClient } from '../helpers/restless-client.ts'
import type { WorkflowPage } from '../helpers/workflow.ts'

/** Jobs of each workflow. */
const WORKFLOWS = [20, 20, 13, 7, 1]
const CLIENTS_PER_WORKFLOW = 6
const CANCELLED_EVERY = 9
/** Time limit for all events, in ms after the first job. */
const DEADLINE_MS = 60_000

t.test('clients of a workflow see every event once and in order, whatever breaks', async (t) => {
  const { origins, kill, calm } = await troubledFleet(t, { SSE_HEARTBEAT_MS: '500' })
  const anyOrigin = () => origins()[Math.floor(Math.random() * 2)] as string
  const startedAt = performance.now()
  const over = AbortSignal.timeout(DEADLINE_MS)
  const killing = kill(10, 30)
  const followed = await Promise.all(WORKFLOWS.map((jobs) => followWorkflow(jobs)))
  const took = Math.round(performance.now() - startedAt)
  await killing
  const { readersKilled, trims } = await calm()

  const comparison = new Comparison()
  let lost = 0
  for (const { jobs, path, clients } of followed) {
    const log = await wholePage(path)
    const ids = log.map(({ id }) => id)
    t.same([...new Set(ids)].sort(), ids, 'positions increase')
    if (log.some(({ data }) => 'error' in data && data.error.code === 'WORKER_LOST')) lost += 1
    for (const job of jobs) {
      const own = log.filter(({ data }) => data.job_id === job.job_id)
      const { events } = await pageOf(job.urls.events)
      t.same(
        own.map(({ event, data }) => ({ event, data })),
        events.map(({ event, data }) => ({ event, data })),
      )
    }
    for (const client of clients) comparison.add(t, client, ids)
  }
  comparison.judge(
    t,
    `workflow chaos: ${WORKFLOWS} jobs in ${took} ms, ${readersKilled} readers killed, ${trims} trims, ${lost} workflows lost a worker`,
  )
  t.notOk(over.aborted, 'every client has seen everything in time')
  t.ok(lost > 0, 'a worker was killed in the middle of a job')

  /** One workflow and its clients, from its first job to the last event of all jobs. */
  async function followWorkflow(count: number) {
    const body = { workflow_id: randomUUID() }
    const path = `/api/workflow/workflows/${body.workflow_id}/events`
    const jobs: Queued[] = [await persistently(origins, { stage: 1, body })]
    const made = await persistentTicket(path.replace('events', 'tickets'))
    let end = '~'
    const following = Array.from({ length: CLIENTS_PER_WORKFLOW }, () => {
      const patience = () =>
        Math.random() < 0.8 ? 1 + Math.floor(Math.random() * 30) : Number.POSITIVE_INFINITY
      const isOver = (lastId: string) => lastId >= end
      return new RestlessClient({ origins, path: made, patience, isOver }).run(over)
    })
    for (let stage = 2; stage <= count; stage += 1) {
      const job = await persistently(origins, { stage, body })
      jobs.push(job)
      if (stage % CANCELLED_EVERY === 0) void cancel(job)
      await delay(60 + 120 * Math.random())
    }
    for (const job of jobs) await ended(job)
    // No event can follow, so clients that have seen the last event are done. They reconnect once more.
    end = (await wholePage(path)).at(-1)?.id ?? ''
    return { jobs, path, clients: await Promise.all(following) }
  }

  async function cancel(job: Queued): Promise<void> {
    await delay(500 * Math.random())
    await fetch(anyOrigin() + job.urls.cancel, { method: 'POST', headers: authorization() }).catch(() => {})
  }

  async function ended(job: Queued): Promise<void> {
    while (!over.aborted) {
      const state = await get<{ status: string }>(`${anyOrigin()}${job.urls.status}`).catch(() => null)
      if (/^(completed|failed|cancelled)$/.test(state?.status ?? '')) return
      await delay(100)
    }
  }

  /** Every event of a workflow, page by page. */
  async function wholePage(path: string): Promise<WorkflowPage['events']> {
    const events: WorkflowPage['events'] = []
    for (let cursor = ''; ; ) {
      const query = cursor && `?after=${cursor}`
      const page = await get<WorkflowPage>(`${anyOrigin()}${path}${query}`, 'alice', {
        accept: 'application/json',
      }).catch(() => null)
      if (!page?.events) continue
      events.push(...page.events)
      if (!page.more) return events
      cursor = page.cursor
    }
  }

  async function pageOf(path: string) {
    const response = await fetch(anyOrigin() + path, { headers: { accept: 'application/json' } })
    return (await response.json()) as { events: { event: string; data: JobEventData }[] }
  }

  async function persistentTicket(path: string): Promise<string> {
    for (;;) {
      const response = await fetch(anyOrigin() + path, { method: 'POST', headers: authorization() }).catch(
        () => null,
      )
      if (response?.status === 201) return ((await response.json()) as { events_url: string }).events_url
      await delay(20)
    }
  }
})
