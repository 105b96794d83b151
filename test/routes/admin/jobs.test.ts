/** Administrators act on jobs of other users, and each action is logged. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { JobSummary } from '../../../contract/job.ts'
import { authorization, enqueue, startApi, testEnv, token } from '../../helpers/app.ts'
import { answered, isProblem } from '../../helpers/problem.ts'

const headers = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }

t.test('all jobs, or those of one user, each with its owner', async (t) => {
  const { url } = await startApi(t, await testEnv(t))
  const ids: string[] = []
  for (const user of ['alice', 'bob', 'alice', 'root']) ids.unshift((await enqueue(url, { user })).job_id)
  const list = async (query: string, as: Record<string, string> = headers) => {
    const answer = await fetch(`${url}/api/workflow/jobs${query}`, { headers: as })
    return (await answer.json()) as { jobs: JobSummary[]; next: string | null }
  }
  const all = (await list('')).jobs
  t.same(
    all.map(({ job_id, owner }) => [job_id, owner]),
    ids.map((id, i) => [id, ['root', 'alice', 'bob', 'alice'][i]]),
  )
  const paged: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page: Awaited<ReturnType<typeof list>> = await list(`?limit=1&after=${after}`)
    paged.push(...page.jobs.map(({ job_id }) => job_id))
    after = page.next
  }
  t.same(paged, ids, 'page by page')
  t.same(
    (await list('?owner=alice')).jobs.map(({ owner }) => owner),
    ['alice', 'alice'],
  )
  t.same((await list('?owner=nobody')).jobs, [])
  const own = (await list('', authorization('alice'))).jobs
  t.equal(own.length, 2)
  t.ok(
    own.every((job) => !('owner' in job)),
    'others do not see owners',
  )
  for (const owner of ['bob', 'alice'])
    isProblem(
      t,
      await answered(fetch(`${url}/api/workflow/jobs?owner=${owner}`, { headers: authorization('alice') })),
      'FORBIDDEN',
    )
})

t.test('reading and cancelling are each logged', async (t) => {
  const { url, logs } = await startApi(t, await testEnv(t))
  const job = await enqueue(url, { body: { workflow_id: randomUUID() } })
  const path = `${url}/api/workflow/stages/2/jobs/${job.job_id}`
  for (const at of ['/status', '/events/page']) t.equal((await fetch(path + at, { headers })).status, 200, at)
  const ticket = await fetch(`${path}/tickets`, { method: 'POST', headers })
  t.equal(ticket.status, 201)
  const stream = await fetch(`${path}/events`, { headers })
  t.equal(stream.status, 200)
  await stream.body?.cancel()
  t.equal((await fetch(`${path}/cancel`, { method: 'POST', headers })).status, 200)
  const acts = logs.map((line) => JSON.parse(line)).filter(({ act }) => act)
  t.same(
    acts.map(({ act }) => act),
    ['read', 'read', 'read', 'read', 'cancel'],
  )
  t.ok(acts.every(({ actor, jobId }) => actor === 'root' && jobId === job.job_id))
  const before = acts.length
  await fetch(`${path}/status`, { headers: authorization() })
  t.equal(
    logs.map((line) => JSON.parse(line)).filter(({ act }) => act).length,
    before,
    'the owner is not logged',
  )
})
