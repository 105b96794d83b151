/** Queries and IDs: unknown parameters are refused, empty ones count as absent, and case does not matter in IDs. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import {
  authorization,
  enqueue,
  execute,
  get,
  QUESTION,
  type Queued,
  startApi,
  testEnv,
  token,
} from '../helpers/app.ts'
import { type Document, operationsOf } from '../helpers/openapi.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { runningJob, scriptJob } from '../helpers/scripted-job.ts'

t.test('unknown parameters', async (t) => {
  const { url, app } = await startApi(t, await testEnv(t))
  await app.ready()
  const job = await enqueue(url)
  const admin = { authorization: `Bearer ${token('alice', { scope: 'admin' })}` }
  const routes = operationsOf(app.swagger() as unknown as Document).filter(({ path }) =>
    path.startsWith('/api/'),
  )
  t.ok(routes.length > 10, `${routes.length} routes`)
  const bodyOf = (path: string): object => {
    if (path.endsWith('/runs')) return { stages: [2], research_question: QUESTION }
    if (path.endsWith('/sign-off')) return { verdict: 'approved', digest: '0'.repeat(64) }
    return { workflow_id: randomUUID(), research_question: QUESTION }
  }
  const headers = { ...admin, 'content-type': 'application/json' }
  for (const { method, path } of routes) {
    const at = path
      .replace('{stage}', '2')
      .replace('{job_id}', job.job_id)
      .replace('{workflow_id}', randomUUID())
      .replace('{run_id}', randomUUID())
      .replace('{name}', 'a.json')
    for (const typo of ['x', 'Wait', 'limt']) {
      const answer = await fetch(`${url}${at}?${typo}=1`, {
        method,
        headers,
        ...(method === 'POST' && { body: JSON.stringify(bodyOf(path)) }),
      })
      const { errors } = isProblem(t, await answered(answer), 'VALIDATION_FAILED', `${method} ${at}?${typo}`)
      t.match(errors, [{ path: `querystring/${typo}`, message: /^is not a parameter of this route/ }])
    }
  }
  for (const query of ['state=failed', 'limt=1', 'workflowId=x', 'stage=2&state=failed', '=', '_=17'])
    isProblem(
      t,
      await answered(fetch(`${url}/api/workflow/jobs?${query}`, { headers: authorization() })),
      'VALIDATION_FAILED',
      query,
    )
  const typo = await fetch(`${url}/api/workflow/jobs?limt=1`, { headers: authorization() })
  t.match(await typo.json(), {
    detail: /which takes stage, status, workflow_id, search, limit, owner, after/,
  })
  t.equal((await fetch(`${url}/health/live?probe=1`)).status, 200, 'only the API is strict')
  const stranger = await answered(fetch(`${url}/api/workflow/jobs?limt=1`))
  isProblem(t, stranger, 'UNAUTHENTICATED', 'a stranger is told nothing else')
})

t.test('empty parameters count as absent', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await runningJob(api)
  const read = (path: string) => get(`${api.url}${path}`, undefined, { accept: 'application/json' })
  const events = job.urls.events.split('?')[0] as string
  t.same(await read(`${job.urls.status}?after=&wait=`), await read(job.urls.status))
  t.same(await read(`${job.urls.status}?after&wait`), await read(job.urls.status))
  for (const query of ['after=&wait=', 'lastEventId=', 'ticket=', 'after=&lastEventId=&ticket=&wait='])
    t.same(await read(`${events}?${query}`), await read(events), query)
  t.same(await read('/api/workflow/jobs?after='), await read('/api/workflow/jobs'))
  t.match(await read('/api/workflow/jobs?limit='), { status: 400 }, 'an empty filter is a 400')
})

t.test('ids in capitals are the same ids', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const workflow = randomUUID()
  const first = await execute(api.url, {
    headers: { 'idempotency-key': 'k' },
    body: { workflow_id: workflow.toUpperCase() },
  })
  const again = await execute(api.url, {
    headers: { 'idempotency-key': 'k' },
    body: { workflow_id: workflow },
  })
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  const { job_id, workflow_id, urls } = (await first.json()) as Queued & { workflow_id: string }
  t.equal(workflow_id, workflow, 'in the form of RFC 9562')

  const capitals = (path: string) => path.replace(job_id, job_id.toUpperCase())
  t.match(await get(api.url + capitals(urls.status)), { job_id, workflow_id: workflow })
  const events = capitals(urls.events)
  const page = await fetch(api.url + events, { headers: { accept: 'application/json' } })
  t.match(await page.json(), { events: [{ event: 'queued' }] })
  const ticket = await fetch(api.url + capitals(urls.cancel).replace('cancel', 'tickets'), {
    method: 'POST',
    headers: authorization(),
  })
  t.equal(ticket.status, 201)
  t.match(await get(`${api.url}/api/workflow/jobs?workflow_id=${workflow.toUpperCase()}`), {
    jobs: [{ job_id }],
  })
  const file = await answered(
    fetch(api.url + capitals(urls.cancel).replace('cancel', 'artifacts/a.json'), {
      headers: authorization(),
    }),
  )
  isProblem(t, file, 'ARTIFACT_NOT_FOUND', 'the job is there')
  const cancelled = await fetch(api.url + capitals(urls.cancel), { method: 'POST', headers: authorization() })
  t.match(await cancelled.json(), { job_id, status: 'cancelled' })
})

t.test('the parameters for the last event ID', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await scriptJob(api)
  await job.begin()
  await job.steps(4)
  const [, a, b, c] = job.ids as [string, string, string, string]
  const first = async (query: string, header?: string) => {
    const answer = await fetch(`${job.events}${query}`, {
      headers: { accept: 'application/json', ...(header !== undefined && { 'last-event-id': header }) },
    })
    return ((await answer.json()) as { events: { id: string }[] }).events[0]?.id
  }
  t.equal(await first(`&lastEventId=${a}`), b, 'as event-source-polyfill sends it')
  t.equal(await first(`&after=${a}&lastEventId=${b}`), c, 'it is newer than the `after` of the first request')
  t.equal(await first(`&after=${a}&lastEventId=${a}`, b), c, 'the header wins')
  t.equal(await first(`&lastEventId=${b}`, ''), c, 'unless it is empty')

  const { workflow_id } = await get<{ workflow_id: string }>(api.url + job.urls.status)
  const page = (query: string) =>
    get<{ events: { id: string }[] }>(
      `${api.url}/api/workflow/workflows/${workflow_id}/events${query}`,
      undefined,
      { accept: 'application/json' },
    )
  const { events } = await page('')
  t.ok(events.length > 3)
  const rest = await page(`?after=${events[0]?.id}&lastEventId=${events[1]?.id}`)
  t.same(rest.events, events.slice(2), 'of a workflow too')
})

t.test('a ticket beside a token', async (t) => {
  const api = await startApi(t, await testEnv(t, { TICKET_TTL_SECONDS: '1' }))
  const [job, other] = [await scriptJob(api), await scriptJob(api)]
  const url = job.events.split('?')[0] as string
  const ask = (query: string, headers: Record<string, string> = {}) =>
    fetch(url + query, { headers: { accept: 'application/json', ...headers } })
  const mine = new URL(job.events).search
  t.equal((await ask(mine)).status, 200)
  while ((await ask(mine)).status !== 401);
  t.match(await (await ask(mine)).json(), { code: 'TICKET_EXPIRED' })
  for (const query of [mine, new URL(other.events).search, '?ticket=', '?ticket=nonsense']) {
    t.equal((await ask(query, authorization())).status, 200, `a good token beside ${query}`)
    t.equal((await ask(query, authorization('mallory'))).status, 404, 'the token counts')
    t.equal((await ask(query, { authorization: 'Bearer a.b.c' })).status, 401)
    t.equal((await ask(query)).status, 401)
  }
})
