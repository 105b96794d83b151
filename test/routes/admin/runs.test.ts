/** Administrators see runs of other users, and each access is logged. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Run } from '../../../contract/run.ts'
import { authorization, startApi, startWorker, testEnv, token } from '../../helpers/app.ts'
import { stagesFile } from '../../helpers/catalogue.ts'
import { answered, isProblem } from '../../helpers/problem.ts'
import { fakeStageService } from '../../helpers/stage-service.ts'
import { eventually } from '../../helpers/waiting.ts'

const ROOT = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }

interface Page {
  runs: Run[]
  next: string | null
}

t.test('the list has all runs with their owners, and each can be read by its ID', async (t) => {
  const service = await fakeStageService(t)
  const STAGES_FILE = await stagesFile(t, [{ stage: 1, sign_off: true }, { stage: 2 }])
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE })
  const { url, logs } = await startApi(t, env)
  startWorker(t, env)

  const send = async (path: string, headers: Record<string, string>, body: object = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const start = async (user: string, stage: number) => {
    const path = `/api/workflow/workflows/${randomUUID()}/runs`
    const response = await send(path, authorization(user), { stages: [stage] })
    const { run_id } = (await response.json()) as Run
    return { id: run_id, path, user }
  }
  const read = async <T>(path: string, headers: Record<string, string> = ROOT) =>
    (await (await fetch(url + path, { headers })).json()) as T
  const until = (path: string, status: string) =>
    eventually(`it is ${status}`, async () => {
      const run = await read<Run>(path, ROOT)
      return run.status === status ? run : null
    })

  const [first, second, third] = [await start('alice', 1), await start('bob', 2), await start('alice', 2)]
  const waiting = await until(`${first.path}/${first.id}`, 'waiting')
  for (const run of [second, third]) await until(`${run.path}/${run.id}`, 'completed')

  const list = (query: string, headers?: Record<string, string>) =>
    read<Page>(`/api/workflow/runs${query}`, headers)
  const owners = ({ runs }: Page) => runs.map(({ run_id, owner }) => [run_id, owner])
  const all = [third, second, first].map(({ id, user }) => [id, user])
  t.same(owners(await list('')), all)
  const paged: unknown[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page: Page = await list(`?limit=1&after=${after}`.replace(/&after=$/, ''))
    paged.push(...owners(page))
    after = page.next
  }
  t.same(paged, all, 'page by page')
  t.same(owners(await list('?status=waiting')), [[first.id, 'alice']])
  t.same(owners(await list('?owner=bob')), [[second.id, 'bob']])
  t.same(owners(await list('?owner=nobody')), [])
  t.same(owners(await read<Page>(`${first.path}?owner=alice`)), [[first.id, 'alice']])
  const own = await list('', authorization('alice'))
  t.equal(own.runs.length, 2)
  t.ok(
    own.runs.every((run) => !('owner' in run)),
    'others do not see owners',
  )
  const foreign = fetch(`${url}/api/workflow/runs?owner=bob`, { headers: authorization('alice') })
  isProblem(t, await answered(foreign), 'FORBIDDEN')

  const digest = waiting.steps[0]?.sign_off?.digest
  const decision = { verdict: 'approved', digest }
  const signed = send(`${first.path}/${first.id}/steps/1/sign-off`, ROOT, decision)
  isProblem(t, await answered(signed), 'FORBIDDEN', 'an administrator does not sign')

  interface Figures {
    runs: Record<string, number>
    sign_offs: { waiting: number; oldest_at: number | null }
  }
  const figures = await eventually('the overview counts them', async () => {
    const seen = await read<Figures>('/api/admin/overview')
    return seen.runs.completed === 2 ? seen : null
  })
  t.match(figures.runs, { running: 0, waiting: 1, completed: 2, failed: 0 })
  t.same(figures.sign_offs, { waiting: 1, oldest_at: waiting.steps[0]?.sign_off?.since })

  const before = acts().length
  t.equal((await send(`${first.path}/${first.id}/cancel`, ROOT)).status, 200)
  t.match(acts().slice(before), [{ act: 'cancel', actor: 'root', runId: first.id }])
  t.ok(acts().some(({ act, list }) => act === 'read' && list === 'runs'))
  t.ok(acts().some(({ act, runId }) => act === 'read' && runId === second.id))
  t.ok(
    acts().every(({ actor }) => actor === 'root'),
    'actions of owners are not logged',
  )
  const after = await eventually('nothing waits any more', async () => {
    const seen = await read<Figures>('/api/admin/overview')
    return seen.sign_offs.waiting === 0 ? seen : null
  })
  t.same(after.sign_offs, { waiting: 0, oldest_at: null })

  function acts(): Record<string, unknown>[] {
    return logs.map((line) => JSON.parse(line)).filter(({ act }) => act)
  }
})
