/** Polling: the status route, which returns a job's full state, against a route with one HMGET. */
import type { Bench, Benchmark } from './benchmark.ts'
import { httpRequest } from './http-load.ts'
import { CONNECTIONS, httpRows } from './http-pair.ts'
import { executeJob, spawnApi, token } from './stagecast.ts'

export const status: Benchmark = {
  name: 'status',
  title: `Status of a queued job, ${CONNECTIONS} connections, each of a different user`,
  async run(bench) {
    return [...(await compare(bench, 'info')), ...(await compare(bench, 'silent'))]
  },
}

async function compare(bench: Bench, LOG_LEVEL: string) {
  const prefix = bench.prefix()
  const api = await spawnApi(bench, prefix, { LOG_LEVEL })
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: prefix, LOG_LEVEL }
  const asked: string[] = []
  const read: string[] = []
  for (let i = 0; i < CONNECTIONS; i += 1) {
    const bearer = token(`user-${i}`)
    const { job_id, urls } = await executeJob(api.url, bearer)
    asked.push(httpRequest('GET', urls.status, { authorization: `Bearer ${bearer}` }))
    read.push(httpRequest('GET', `/jobs/${job_id}`))
  }
  await api.stop()
  return httpRows(bench, {
    ours: {
      name: 'Stagecast',
      start: () => spawnApi(bench, prefix, { LOG_LEVEL }),
      request: (i) => asked[i] as string,
    },
    floor: {
      name: 'one HMGET',
      start: () => bench.spawn('floor-status', { env }),
      request: (i) => read[i] as string,
    },
    status: 200,
    target: 0.8,
    label: LOG_LEVEL === 'silent' ? ', no log' : '',
  })
}
