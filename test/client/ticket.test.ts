/** Watching without a token: with a URL that carries a ticket. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { workflowName } from '../../journal/order.ts'
import { Stagecast } from '../../packages/client/index.ts'
import { startApi, testEnv, token } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { eventually } from '../helpers/waiting.ts'

t.test('an expired ticket is renewed; without a way to renew it, watching throws', async (t) => {
  const env = await testEnv(t, { TICKET_TTL_SECONDS: '2' })
  const api = closeQuickly(t, await startApi(t, env))
  const job = await runningJob(api)
  const reference = { stage: 2, job_id: job.id }
  const owner = new Stagecast({ baseUrl: api.url, token: token() })
  const sent: (string | null)[] = []
  const anybody = new Stagecast({
    baseUrl: api.url,
    token: 'a token that must not be sent along with a ticket',
    fetch(url, init) {
      sent.push(new Headers(init?.headers).get('authorization'))
      return fetch(url, init)
    },
  })

  let tickets = 0
  const events = async () => {
    tickets += 1
    // The URL may be relative or absolute.
    return (tickets % 2 ? api.url : '') + (await owner.ticket(reference)).events_url
  }
  const ids: (string | null)[] = []
  const transports: string[] = []
  const onTransport = (one: string) => void transports.push(one)
  const done = (async () => {
    for await (const { id } of anybody.watch(reference, { events, onTransport })) ids.push(id)
  })()
  done.catch(() => {})
  const once = anybody.watch(reference, { events: job.urls.events })
  await once.next()
  const refused = await (async () => {
    for await (const _ of once);
  })().catch((error) => error)
  t.match(refused, { status: 401, code: 'TICKET_EXPIRED' })
  await job.steps(2)
  await eventually('a second ticket', () => tickets > 1)
  await job.steps(2)
  await job.complete()
  await done
  t.same(ids, job.ids, 'nothing is missed or repeated')
  // The client may wait between two connections, but never polls.
  t.same(new Set(transports.filter((one) => one !== 'waiting')), new Set(['sse']))
  t.same(new Set(sent), new Set([null]), 'no token')
})

t.test('a workflow ticket opens the events of its jobs; `gone` arrives when they are deleted', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const workflow_id = randomUUID()
  const job = await runningJob(api, 2, { body: { workflow_id } })
  const { events_url } = await new Stagecast({ baseUrl: api.url, token: token() }).workflowTicket(workflow_id)
  const anybody = new Stagecast({ baseUrl: api.url, token: 'a token that is not sent' })
  const source = anybody.watchWorkflow(workflow_id, { events: events_url })
  const next = async () => (await source.next()).value
  t.match(
    [await next(), await next(), await next(), await next()].map((one) => one?.event),
    [...['queued', 'active', 'progress', 'progress']],
  )
  await job.steps(1)
  t.match(await next(), { id: /^\d{16}$/, event: 'progress', data: { job_id: job.id } })
  await api.app.stagecast.redis.del(job.keys.order('alice', workflow_id))
  const feed = api.app.stagecast.workflows.get(workflowName('alice', workflow_id))
  if (!feed) throw new Error('it is not watched')
  api.app.stagecast.workflows.catchUp(feed)
  const gone = await next()
  t.equal(gone?.event === 'gone' && gone.data.workflow_id, workflow_id)
  t.equal((await source.next()).done, true)
})

t.test('when the server has no room for a stream, the client reads pages with the ticket', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { SSE_MAX_PER_JOB: '1' })))
  const job = await runningJob(api)
  const reference = { stage: 2, job_id: job.id }
  const first = new Stagecast({ baseUrl: api.url, token: token() }).watch(reference)
  await first.next()
  const transports: string[] = []
  const onTransport = (one: string) => void transports.push(one)
  const source = new Stagecast({ baseUrl: api.url }).watch(reference, {
    events: job.urls.events,
    onTransport,
  })
  const ids = [(await source.next()).value?.id]
  await job.complete()
  for await (const { id } of source) ids.push(id)
  t.same(ids, job.ids)
  t.same(transports, ['polling'])
  await first.return()
})
