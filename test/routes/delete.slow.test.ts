/** DELETE of a job whose stage service accepts the request but never answers. */
import { once } from 'node:events'
import t from 'tap'
import { authorization, enqueue, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { finished } from '../helpers/jobs.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'

t.test('the request times out and nothing is deleted', async (t) => {
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(url)
  const state = await finished(url, job)
  const hungUp = new Promise((resolve) => {
    service.onDelete = (_path, response) => void once(response, 'close').then(resolve)
  })
  const path = job.urls.status.replace('/status', '')
  const remove = () => answered(fetch(url + path, { method: 'DELETE', headers: authorization() }))
  isProblem(t, await remove(), 'STAGE_SERVICE_UNAVAILABLE')
  await hungUp
  t.same(await get(url + job.urls.status), state)
  service.onDelete = (_path, response) => void response.writeHead(204).end()
  t.equal((await remove()).status, 204, 'a second request succeeds')
})
