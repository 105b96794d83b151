/**
 * Hundreds of clients watch while everything breaks: no event may be missing, repeated or out of order. Two API
 * processes and two workers are killed, the event readers' connections are cut, and the event stream is trimmed.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Queued } from '../helpers/app.ts'
import { Comparison, persistently, troubledFleet } from '../helpers/chaos.ts'
import { RestlessClient } from '../helpers/restless-client.ts'

const JOBS = 60
const CLIENTS_PER_JOB = 4
/** Time limit for all events, in ms after the first job. */
const DEADLINE_MS = 40_000

t.test('clients see every event once and in order, whatever breaks', async (t) => {
  const { origins, kill, calm } = await troubledFleet(t)
  const startedAt = performance.now()
  const over = AbortSignal.timeout(DEADLINE_MS)
  const jobs: Queued[] = []
  const following: Promise<RestlessClient>[] = []
  const killing = kill(JOBS / 4, JOBS / 2)
  for (let i = 0; i < JOBS; i += 1) {
    const job = await persistently(origins)
    jobs.push(job)
    for (let n = 0; n < CLIENTS_PER_JOB; n += 1) {
      const patience = () =>
        Math.random() < 0.7 ? 1 + Math.floor(Math.random() * 8) : Number.POSITIVE_INFINITY
      following.push(new RestlessClient({ origins, path: job.urls.events, patience }).run(over))
    }
    await delay(120)
  }
  const clients = await Promise.all(following)
  const took = Math.round(performance.now() - startedAt)
  await killing
  const { readersKilled, trims } = await calm()

  const comparison = new Comparison()
  let lost = 0
  for (const [i, job] of jobs.entries()) {
    const log = await pageOf(origins()[0] as string, job)
    t.equal(log.at(-1)?.event, 'completed')
    if (log.some(({ data }) => data.error?.code === 'WORKER_LOST')) lost += 1
    const ids = log.map(({ id }) => id)
    for (const client of clients.slice(i * CLIENTS_PER_JOB, (i + 1) * CLIENTS_PER_JOB))
      comparison.add(t, client, ids)
  }
  comparison.judge(
    t,
    `chaos: ${jobs.length} jobs in ${took} ms, ${readersKilled} readers killed, ${trims} trims, ${lost} jobs lost a worker`,
  )
  t.ok(
    clients.every(({ ended }) => ended),
    'every client has seen the end',
  )
  t.ok(lost > 0, 'a worker was killed in the middle of a job')
})

interface PageEvent {
  id: string
  event: string
  data: { error?: { code: string } }
}

async function pageOf(url: string, job: Queued): Promise<PageEvent[]> {
  const response = await fetch(url + job.urls.events, { headers: { accept: 'application/json' } })
  return ((await response.json()) as { events: PageEvent[] }).events
}
