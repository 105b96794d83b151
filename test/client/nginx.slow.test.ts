/** The client behind a real proxy that buffers every response. */
import t from 'tap'
import { Stagecast } from '../../packages/client/index.ts'
import { startApi, testEnv, token } from '../helpers/app.ts'
import { bufferingNginx, noNginx } from '../helpers/nginx.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { eventually } from '../helpers/waiting.ts'

t.test(
  'behind nginx with proxy_buffering the client polls and misses nothing',
  { skip: noNginx },
  async (t) => {
    const api = closeQuickly(t, await startApi(t, await testEnv(t)))
    const url = await bufferingNginx(t, api.url)
    const job = await runningJob(api)
    const stagecast = new Stagecast({ baseUrl: url, token: token() })
    const ids: (string | null)[] = []
    const transports: string[] = []
    const onTransport = (one: string) => void transports.push(one)
    const done = (async () => {
      for await (const { id } of stagecast.watch({ stage: 2, job_id: job.id }, { onTransport })) ids.push(id)
    })()
    done.catch(() => {})
    await eventually('what was there', () => ids.length === job.ids.length)
    t.same(transports, ['polling'])
    for (let round = 1; round <= 3; round += 1) {
      await job.steps(2)
      await eventually('what is new', () => ids.length === job.ids.length)
    }
    await job.complete()
    await done
    t.same(ids, job.ids, 'nothing is missed or repeated')
  },
)

t.test('behind nginx that obeys X-Accel-Buffering the client streams', { skip: noNginx }, async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const url = await bufferingNginx(t, api.url, { heeds: true })
  const job = await runningJob(api)
  const transports: string[] = []
  const onTransport = (one: string) => void transports.push(one)
  const source = new Stagecast({ baseUrl: url, token: token() }).watch(
    { stage: 2, job_id: job.id },
    { onTransport },
  )
  const ids = [(await source.next()).value?.id]
  await job.complete()
  for await (const { id } of source) ids.push(id)
  t.same(ids, job.ids)
  t.same(transports, ['sse'])
})
