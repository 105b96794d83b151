/** Popular readers of event streams get each event of a job once, over several connections and up to its end. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApi, testEnv, token } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { runningJob, type ScriptedJob } from '../helpers/scripted-job.ts'
import { CLIENTS, provideTools } from './tools.ts'

const missing = provideTools((line) => t.comment(line))
if (missing && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(missing)
const load = createRequire(join(CLIENTS, 'package.json'))

const python = ['python3', '/usr/bin/python3'].find(
  (one) => spawnSync(one, ['-c', 'import httpx'], { stdio: 'ignore' }).status === 0,
)
const noPython = python ? false : 'there is no Python with httpx here'
if (noPython && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(noPython)

const AUTHORIZATION = { Authorization: `Bearer ${token()}` }
const TYPES = ['queued', 'active', 'progress', 'completed']

/** A job that takes more than two seconds, while each stream lasts for one. */
async function lively(t: Test): Promise<{ job: ScriptedJob; url: string; life: Promise<void> }> {
  const env = await testEnv(t, { SSE_LIFETIME_SECONDS: '1', SSE_HEARTBEAT_MS: '200' })
  const api = closeQuickly(t, await startApi(t, env))
  const job = await runningJob(api)
  const life = (async () => {
    for (let i = 0; i < 20; i += 1) {
      await job.steps(1, `step ${i}\u2028\u0085`)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    await job.complete()
  })()
  return { job, url: job.events.split('?')[0] as string, life }
}

/** Anything with the interface of EventSource. */
interface Source {
  addEventListener(type: string, listener: (event: { lastEventId: string }) => void): void
  close(): void
}

async function followed(t: Test, source: Source, job: ScriptedJob, life: Promise<void>): Promise<void> {
  const ids: string[] = []
  const over = new Promise<void>((resolve) => {
    for (const type of TYPES)
      source.addEventListener(type, ({ lastEventId }) => {
        ids.push(lastEventId)
        if (type === 'completed') resolve()
      })
  })
  await life
  await over
  source.close()
  t.same(ids, job.ids)
}

t.test('event-source-polyfill', { skip: missing ?? false }, async (t) => {
  const { job, url, life } = await lively(t)
  const { EventSourcePolyfill } = load('event-source-polyfill')
  // It prints the error of each stream that was interrupted, and reconnects.
  const { error } = console
  const printed: unknown[] = []
  console.error = (...args) => printed.push(...args)
  t.teardown(() => {
    console.error = error
  })
  await followed(t, new EventSourcePolyfill(url, { headers: AUTHORIZATION }), job, life)
  for (const one of printed) t.match(one, /terminated/)
})

t.test('eventsource', { skip: missing ?? false }, async (t) => {
  const { job, life } = await lively(t)
  const { EventSource } = load('eventsource')
  await followed(t, new EventSource(job.events), job, life)
})

t.test('@microsoft/fetch-event-source', { skip: missing ?? false }, async (t) => {
  // The library expects to run in a page.
  Object.assign(globalThis, { window: globalThis, document: { removeEventListener() {} } })
  const { job, url, life } = await lively(t)
  const { fetchEventSource } = load('@microsoft/fetch-event-source')
  const ids: string[] = []
  let last = ''
  // By default it treats a clean end as success and retries after anything else.
  await fetchEventSource(url, {
    headers: AUTHORIZATION,
    openWhenHidden: true,
    onmessage({ id, event }: { id: string; event: string }) {
      if (!TYPES.includes(event)) return
      ids.push(id)
      last = event
    },
  })
  t.equal(last, 'completed', 'it treats nothing else as the end')
  await life
  t.same(ids, job.ids)
})

/** Typical user code, which treats a clean end as the end of the job. */
const HTTPX = `
import httpx, json, sys
url, authorization = sys.argv[1:]
ids, last = [], ''
while True:
    headers = {'authorization': authorization, 'accept': 'text/event-stream', **({'last-event-id': last} if last else {})}
    try:
        with httpx.stream('GET', url, headers=headers, timeout=20) as answer:
            for line in map(str.rstrip, answer.iter_lines()):
                if line.startswith('id: '):
                    last = line[4:]
                    ids.append(last)
                elif line.startswith('data: '):
                    json.loads(line[6:])
        break
    except httpx.RemoteProtocolError:
        continue
print(json.dumps(ids))
`

t.test('httpx, line by line', { skip: noPython }, async (t) => {
  const { job, url, life } = await lively(t)
  const child = spawn(python as string, ['-c', HTTPX, url, AUTHORIZATION.Authorization], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const [[code]] = await Promise.all([once(child, 'exit'), life])
  t.equal(code, 0)
  t.same(JSON.parse(output), job.ids)
})
