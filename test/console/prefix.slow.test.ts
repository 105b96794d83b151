/** The console of two registrations in one application: each follows its prefix, and shares nothing with the other. */
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { consoleOfWorkingCopy } from '../../packages/console/bundle.mjs'
import stagecast, { startStageWorker } from '../../stagecast.ts'
import { JWT_SECRET, memoryLog, token } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { randomPrefix, sharedRedis } from '../helpers/redis.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { openAs, openTab, startReview } from './console.ts'

t.test('below two prefixes', { skip }, async (t) => {
  const service = await fakeStageService(t)
  const { log } = memoryLog()
  const app = Fastify({ loggerInstance: log, forceCloseConnections: true }) as unknown as FastifyInstance
  t.teardown(() => app.close())
  const redisUrl = await sharedRedis(t)
  for (const prefix of ['/left', '/a/right']) {
    const connection = { redisUrl, redisPrefix: randomPrefix(), services: { default: { url: service.url } } }
    const options = { jwt: { secret: JWT_SECRET }, requestsPerMinute: 0, consoleFiles: consoleOfWorkingCopy }
    await app.register(stagecast, { ...connection, ...options, prefix, drainMs: 100 })
    const worker = startStageWorker({ ...connection, log })
    t.teardown(() => worker.close(500))
  }
  const url = await app.listen({ port: 0, host: '127.0.0.1' })

  const { page, complaints } = await openTab(t)
  const asked = new Set<string>()
  page.on('request', (request) => {
    const { protocol, pathname } = new URL(request.url())
    // The page creates the tab's icon as a blob.
    if (protocol !== 'blob:') asked.add(pathname.split('/api/')[0] as string)
  })
  await page.goto(`${url}/left/console/`)
  await page.evaluate('sessionStorage.setItem("mine", "of the application")')
  await openAs(page, `${url}/left`, '#/', 'alice')
  await startReview(page)
  await page.locator('.job.completed').waitFor()
  t.same(
    [...asked].filter((path) => !path.startsWith('/left')),
    [],
    'every request is below the prefix',
  )

  await openAs(page, `${url}/a/right`, '#/jobs', 'root')
  await page.getByText('You have not started any jobs yet').waitFor()
  t.equal(await page.evaluate('sessionStorage.getItem("mine")'), 'of the application')
  await page.goto(`${url}/left/console/`)
  await page.getByText('alice').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Token').fill(token('root', { scope: 'admin' }))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('link', { name: 'Dashboard' }).click()
  await page.locator('table').first().waitFor()
  await page.goto(`${url}/a/right/console/`)
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  t.same(complaints, [])
})
