/** The admin listeners, the routes for administrators, and the metrics. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { rows, section } from '../docs/markdown.ts'
import {
  authorization,
  type Door,
  type Env,
  enqueue,
  startApi,
  startDoor,
  testEnv,
  token,
} from '../helpers/app.ts'
import { SMOOTH, watch } from '../helpers/jobs.ts'
import { type Family, parseMetrics, sampleOf } from '../helpers/metrics.ts'
import { absentRedis, becomesReady } from '../helpers/outage.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { logLine, ROOT } from '../helpers/processes.ts'
import { sendRaw } from '../helpers/raw.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const PATHS = ['/metrics', '/api/admin/overview', '/admin/queues', '/admin/queues/api/queues']
const ADMIN = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }

/** The admin listener of a process. */
async function adminOf(door: Door): Promise<string> {
  const line = await logLine(door, 'admin listener: ')
  return /admin listener: (http:\/\/[^"\s]+)/.exec(line)?.[1] as string
}

async function scrape(url: string, headers = {}): Promise<Map<string, Family>> {
  return parseMetrics(await (await fetch(`${url}/metrics`, { headers })).text())
}

/** API and worker as processes, after one job that was watched. */
async function fleet(t: Test, overrides: Env = {}) {
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, { WORKER_URL: service.url, ADMIN_PORT: '0', LOG_LEVEL: 'info', ...overrides })
  const [api, worker] = await Promise.all([
    startDoor(t, 'server/api.ts', env),
    startDoor(t, 'server/worker.ts', env),
  ])
  const job = await enqueue(api.url)
  const frames = await (await watch(api.url, job)).rest()
  t.equal(frames.length, SMOOTH.length)
  return { env, api, worker, job, frames, admin: await adminOf(api), workerAdmin: await adminOf(worker) }
}

/** Shared by the tests that do not disturb it. The first of them checks counts from the start. */
const shared = await fleet(t)

t.test('the metrics of the processes', async (t) => {
  const { admin, workerAdmin, api, job, frames } = shared
  const first = await scrape(admin)
  t.equal(sampleOf(first, 'stagecast_events_sent_total'), SMOOTH.length)
  t.equal(sampleOf(first, 'stagecast_replays_total'), 0)
  await (await watch(api.url, job, frames[3]?.id)).rest()
  await (await watch(api.url, job, 'of another history')).rest()
  const second = await scrape(admin)
  t.equal(sampleOf(second, 'stagecast_replays_total'), 2)
  t.equal(sampleOf(second, 'stagecast_gaps_total'), 1)
  t.equal(sampleOf(second, 'stagecast_events_sent_total'), SMOOTH.length + (SMOOTH.length - 4) + 1)
  await eventually('streams are closed', async () => {
    const metrics = await scrape(admin)
    return sampleOf(metrics, 'stagecast_streams_open') + sampleOf(metrics, 'stagecast_jobs_watched') === 0
  })

  const route = '/api/workflow/stages/:stage/execute'
  const count = 'stagecast_http_request_duration_seconds_count'
  t.equal(sampleOf(second, count, { route, method: 'POST', status: '202' }), 1)
  const routes = new Set(
    second.get('stagecast_http_request_duration_seconds')?.samples.map((one) => one.labels.route),
  )
  t.notOk([...routes].some((one) => one?.includes(job.job_id) || one?.endsWith('/events')))
  for (const path of ['/nowhere', '/nowhere/else', `/${job.job_id}`]) await fetch(api.url + path)
  t.equal(sampleOf(await scrape(admin), count, { route: 'none', status: '404' }), 3, 'any path is one label')

  const worker = await scrape(workerAdmin)
  t.equal(sampleOf(worker, 'stagecast_worker_jobs_running'), 0)
  t.equal(sampleOf(worker, 'stagecast_worker_circuit_state', { circuit: 'closed' }), 1)
  t.equal(sampleOf(worker, 'stagecast_worker_circuit_state', { circuit: 'open' }), 0)
  t.equal(sampleOf(worker, 'stagecast_redis_reconnects_total', { connection: 'jobs' }), 0)
})

t.test(
  'on loopback no token is needed, but only local host names are accepted; on the API the scope is required',
  async (t) => {
    const { api, admin, workerAdmin } = shared
    t.match(admin, /^http:\/\/127\.0\.0\.1:\d+$/)
    for (const path of PATHS) {
      t.equal((await fetch(admin + path)).status, 200, `${path} is open`)
      isProblem(t, await answered(fetch(api.url + path)), 'UNAUTHENTICATED', path)
      isProblem(t, await answered(fetch(api.url + path, { headers: authorization() })), 'FORBIDDEN', path)
      t.equal((await fetch(api.url + path, { headers: ADMIN })).status, 200, `${path} with the scope`)
      const { port } = new URL(admin)
      const named = (host: string) =>
        sendRaw(admin, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      for (const host of ['evil.example', `evil.example:${port}`, '10.0.0.1', '127.0.0.1.evil.example'])
        isProblem(t, await named(host), 'FORBIDDEN', `${path} under ${host}`)
      for (const host of [`localhost:${port}`, '127.0.0.1', `[::1]:${port}`])
        t.equal((await named(host)).status, 200, `${path} under ${host}`)
    }
    isProblem(t, await answered(fetch(`${admin}/api/workflow/stages`)), 'NOT_FOUND', 'nothing else is there')
    t.equal((await fetch(`${workerAdmin}/metrics`)).status, 200)
    isProblem(
      t,
      await answered(fetch(`${workerAdmin}/admin/queues`)),
      'NOT_FOUND',
      'a worker has metrics only',
    )
  },
)

t.test('on other addresses only metrics are served; without ADMIN_PORT nothing is', async (t) => {
  const env = await testEnv(t, { ADMIN_PORT: '0', ADMIN_HOST: '0.0.0.0' })
  const open = await startDoor(t, 'server/api.ts', env)
  const port = new URL(await adminOf(open)).port
  const admin = `http://127.0.0.1:${port}`
  for (const path of PATHS) t.equal((await fetch(admin + path)).status, path === '/metrics' ? 200 : 404, path)
  const { ADMIN_PORT: _, ...rest } = env
  const none = await startDoor(t, 'server/api.ts', rest)
  await becomesReady(none.url)
  t.notOk(none.logs.some((line) => line.includes('admin listener')))
})

t.test('Bull Board is read-only', async (t) => {
  const { admin, api, job } = shared
  const board = `${admin}/admin/queues`
  const shown = await (await fetch(`${board}/api/queues/workflow-stages/${job.job_id}`)).text()
  t.match(shown, job.job_id)
  t.match(shown, 'intermittent fasting', 'with the question')
  const page = await fetch(board)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.match(policy, "script-src 'self';", 'no script but those of this server')
  t.notMatch(policy, /script-src[^;]*unsafe|https?:|\*/)
  for (const [, src = ''] of (await page.text()).matchAll(/<script defer src="([^"]+)"/g))
    t.equal((await fetch(`${board}/${src}`)).status, 200, src)
  for (const headers of [{}, authorization(), ADMIN]) {
    const { headers: seen } = await fetch(`${api.url}/health/live`, { headers })
    t.equal(
      seen.get('content-security-policy'),
      "default-src 'none';frame-ancestors 'none'",
      'the API has its own policy',
    )
  }
  const before = await (await fetch(`${board}/api/queues`)).text()
  const one = `/api/queues/workflow-stages/${job.job_id}`
  for (const path of [
    '/api/queues/pause',
    '/api/queues/workflow-stages/obliterate',
    '/api/queues/workflow-stages/add',
  ])
    await refused(path)
  for (const action of ['retry', 'retry/completed', 'promote', 'clean', 'update-data'])
    await refused(`${one}/${action}`)
  t.equal(await (await fetch(`${board}/api/queues`)).text(), before)

  async function refused(path: string): Promise<void> {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      const { status } = await fetch(board + path, { method })
      t.ok(status === 404 || status === 405, `${method} ${path}: ${status}`)
    }
  }
})

t.test('the metrics follow the conventions and are as documented', async (t) => {
  const { admin, workerAdmin } = shared
  const [api, worker] = await Promise.all([scrape(admin), scrape(workerAdmin)])
  const ours = new Map([...worker, ...api].filter(([name]) => name.startsWith('stagecast_')))
  for (const [name, { type, help, samples }] of ours) {
    t.ok(help.length > 10, `${name}: help`)
    t.ok(samples.length > 0, `${name}: has samples`)
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
    if (type === 'histogram') t.match(name, /_seconds$/, 'in base units')
  }
  t.ok(api.has('process_cpu_seconds_total') && worker.has('nodejs_eventloop_lag_p99_seconds'))

  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
  const documented = rows(section(text, 'Metrics')).map(([name = '', type, labels = '']) => ({
    name: name.replaceAll('`', ''),
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }))
  const told = [...ours].map(([name, { type, samples }]) => ({
    name,
    type,
    labels: [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))].filter(
      (label) => label !== 'le',
    ),
  }))
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  const sorted = (list: typeof documented) =>
    list.map((one) => ({ ...one, labels: one.labels.sort() })).sort(byName)
  t.same(sorted(documented), sorted(told as typeof documented))

  const known = new Set([...ours.keys(), ...api.keys(), ...worker.keys()])
  const dashboard = readFileSync(join(ROOT, 'docs/grafana/stagecast.json'), 'utf8')
  const panels = JSON.parse(dashboard).panels as { title: string; targets: { expr: string }[] }[]
  const alerts = parse(readFileSync(join(ROOT, 'docs/prometheus/alerts.yml'), 'utf8'))
  const queries = [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
    ...alerts.groups[0].rules.map(({ alert, expr }: Record<string, string>) => [alert, expr]),
  ]
  t.ok(queries.length > 25, 'queries were found')
  const rules = alerts.groups[0].rules as {
    alert: string
    expr: string
    annotations: Record<string, string>
  }[]
  for (const { alert, expr, annotations } of rules) {
    t.ok(annotations.summary && (annotations.runbook?.length ?? 0) > 40, `${alert} says what to do`)
    // One failure among two jobs must not fire an alert.
    if (/increase\(.*\/|rate\(.*\//s.test(expr)) t.match(expr, / >= \d{2,}$/, `${alert} has a minimum volume`)
  }
  t.ok(
    rules.some(({ expr }) => expr.startsWith('absent(stagecast_redis_up)')),
    'missing metrics fire an alert too',
  )
  for (const [where, query] of queries) {
    const names = query.match(/\b(stagecast|nodejs|process)_\w+/g) ?? []
    t.ok(names.length > 0, `${where} asks for something`)
    for (const name of names)
      t.ok(known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, '')), `${where}: ${name}`)
    // A selector that matches nothing would silently show nothing.
    for (const [, name = '', inner = ''] of query.matchAll(/\b(stagecast_\w+)\{([^}]*)\}/g)) {
      const { samples = [] } = ours.get(name) ?? ours.get(name.replace(/_(bucket|sum|count)$/, '')) ?? {}
      for (const [, label = '', operator, value = ''] of inner.matchAll(/(\w+)(=~|=)"([^"]*)"/g)) {
        const values = operator === '=~' ? value.split('|') : [value]
        for (const one of values.filter((text: string) => text !== '$stage'))
          t.ok(
            samples.some(({ labels }) => labels[label] === one),
            `${where}: ${label} ${one}`,
          )
        t.ok(
          samples.some(({ labels }) => label in labels),
          `${where}: ${label}`,
        )
      }
    }
  }
})

t.test('while Redis is unavailable, the scrape succeeds and shows it', async (t) => {
  const redis = await absentRedis(t)
  await redis.start()
  const { admin, env } = await fleet(t, { REDIS_URL: redis.url })
  t.equal(sampleOf(await scrape(admin), 'stagecast_redis_up'), 1)
  await redis.stop()
  const away = await eventually('the outage shows', async () => {
    const metrics = await scrape(admin)
    return sampleOf(metrics, 'stagecast_redis_up') === 0 ? metrics : null
  })
  t.same(away.get('stagecast_jobs_total')?.samples, [], 'old values are omitted')
  t.ok(sampleOf(away, 'process_resident_memory_bytes') > 0)
  isProblem(t, await answered(fetch(`${admin}/api/admin/overview`)), 'QUEUE_UNAVAILABLE')
  isProblem(t, await answered(fetch(`${admin}/admin/queues/api/queues`)), 'QUEUE_UNAVAILABLE')
  const late = await startDoor(t, 'server/api.ts', env)
  t.equal(
    sampleOf(await scrape(await adminOf(late)), 'stagecast_redis_up'),
    0,
    'also if Redis was never available',
  )

  await redis.start()
  const back = await eventually('Redis is back', async () => {
    const metrics = await scrape(admin)
    return sampleOf(metrics, 'stagecast_redis_up') === 1 ? metrics : null
  })
  t.equal(
    sampleOf(back, 'stagecast_jobs_total', { stage: '2', outcome: 'completed' }),
    1,
    'no count was lost',
  )
  t.ok(sampleOf(back, 'stagecast_redis_reconnects_total', { connection: 'commands' }) >= 1)
  await eventually(
    'Bull Board too',
    async () => (await fetch(`${await adminOf(late)}/admin/queues/api/queues`)).ok,
  )
})

t.test('API and worker in one process: one listener serves the metrics of both', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url, ADMIN_PORT: '0', LOG_LEVEL: 'info' })
  const both = await startDoor(t, 'server/all.ts', env)
  await enqueue(both.url)
  await service.call(0)
  const metrics = await scrape(await adminOf(both))
  t.equal(sampleOf(metrics, 'stagecast_worker_jobs_running'), 1)
  t.equal(sampleOf(metrics, 'stagecast_worker_circuit_state', { circuit: 'closed' }), 1)
  t.equal(sampleOf(metrics, 'stagecast_redis_up'), 1)
  t.equal(both.logs.filter((line) => line.includes('admin listener: ')).length, 1)
})

t.test('with mock authentication, requests without a token are administrators', async (t) => {
  const { url } = await startApi(t, await testEnv(t, { ALLOW_MOCK_AUTH: 'true' }))
  // A busy Redis may not answer in time.
  for (const path of PATHS) t.ok(await eventually(path, async () => (await fetch(url + path)).ok))
})
