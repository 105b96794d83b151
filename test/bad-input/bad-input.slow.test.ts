/** Bad requests as data: each gets its expected response, always a problem document, and the server keeps working. */
import t from 'tap'
import { enqueue, execute, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { assertWhole, finished, status, watch } from '../helpers/jobs.ts'
import { becomesReady } from '../helpers/outage.ts'
import { isProblem } from '../helpers/problem.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'
import { badBodies } from './bodies.ts'
import { badEvents, FOOLISH_IDS } from './events.ts'
import { badPaths } from './paths.ts'
import { type Scene, send } from './request.ts'
import { badBytes } from './sockets.ts'
import { badTokens } from './tokens.ts'

/** The least number of bad requests. */
const AT_LEAST = 150

t.test('every bad request gets its expected response', async (t) => {
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const brief = await startApi(t, { ...env, TICKET_TTL_SECONDS: '1' })
  const api = await startApi(t, env)
  const worker = startWorker(t, env)
  await Promise.all([becomesReady(api.url), becomesReady(brief.url)])
  const [mine, foreign] = await Promise.all([enqueue(api.url), enqueue(api.url, { user: 'bob' })])
  const ticketOf = (url: string) => new URL(url, api.url).searchParams.get('ticket') as string
  await Promise.all([finished(api.url, mine), (await watch(api.url, foreign)).rest()])
  const expired = await newTicket(brief.url, mine.job_id)
  const scene: Scene = {
    token: token(),
    mine: mine.urls.cancel.replace('/cancel', ''),
    foreign: foreign.urls.cancel.replace('/cancel', ''),
    ticket: ticketOf(mine.urls.events),
    foreignTicket: ticketOf(foreign.urls.events),
    expiredTicket: ticketOf(expired),
  }
  // The stream ends when the server closes it.
  await (await openStream(brief.url + expired, { lastEventId: '000000000000' })).rest()
  while ((await fetch(api.url + expired)).status !== 401);

  const requests = [badTokens, badBodies, badPaths, badEvents, badBytes].flatMap((table) => table(scene))
  t.equal(new Set(requests.map(({ about }) => about)).size, requests.length, 'each request has a unique name')
  t.ok(requests.length >= AT_LEAST, `${requests.length} requests`)
  const called = service.calls.length
  for (const request of requests) {
    const answer = await send(api.url, request)
    if (request.method === 'HEAD') t.equal(answer.status, 405, request.about)
    else isProblem(t, answer, request.code, request.about)
    t.notMatch(answer.text, /node_modules|\.ts:|at \w+ \(/, `${request.about}: reveals no internals`)
  }
  t.equal(service.calls.length, called, 'no job ran')

  for (const id of FOOLISH_IDS) {
    const frames = await (
      await openStream(api.url + mine.urls.events, { lastEventId: encodeURIComponent(id) })
    ).rest()
    t.same(
      frames.map(({ event }) => event),
      ['gap', 'completed'],
      `Last-Event-ID ${id.slice(0, 20)}: gets a gap`,
    )
  }
  const job = await enqueue(api.url)
  assertWhole(t, await (await watch(api.url, job)).rest())
  t.match(await status(api.url, job), { status: 'completed' }, 'the server still works')
  t.equal((await execute(api.url)).status, 202)
  await worker.close(500)
})

async function newTicket(url: string, jobId: string): Promise<string> {
  const response = await fetch(`${url}/api/workflow/stages/2/jobs/${jobId}/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token()}` },
  })
  return ((await response.json()) as { events_url: string }).events_url
}
