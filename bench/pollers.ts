/** Clients that poll the events of their job once a second, as JSON pages. */
import { Agent } from 'undici'
import type { Bench } from './benchmark.ts'
import type { Source } from './latency.ts'
import { startJobs } from './running-jobs.ts'
import { spawnApi, token } from './stagecast.ts'

const EVERY_MS = 1000

export async function pollingSource(bench: Bench, count: number): Promise<Source> {
  const prefix = bench.prefix()
  const api = await spawnApi(bench, prefix)
  const jobs = await startJobs(bench, api.url, prefix, count)
  const agent = new Agent({ connections: 50 })
  const headers = { authorization: `Bearer ${token('user-1')}` }
  const watchers: Source['watchers'] = { all: jobs.all, onMark: () => {} }
  const poll = async (i: number) => {
    const path = jobs.all[i]?.urls.events.replace(/\?.*/, '') as string
    const answer = await agent.request({
      origin: api.url,
      path: cursors[i] ? `${path}?after=${cursors[i]}` : path,
      method: 'GET',
      headers: { ...headers, accept: 'application/json' },
    })
    const text = await answer.body.text()
    cursors[i] = /"cursor":"(\d+)"/.exec(text)?.[1] ?? cursors[i]
    for (const [, n] of text.matchAll(/step=(\d+)\./g)) watchers.onMark(i, Number(n))
  }
  const cursors: (string | undefined)[] = []
  const timers = jobs.all.map((_, i) => {
    let timer: NodeJS.Timeout | undefined
    const begin = setTimeout(() => {
      timer = setInterval(() => void poll(i).catch(() => {}), EVERY_MS)
    }, Math.random() * EVERY_MS)
    return () => {
      clearTimeout(begin)
      clearInterval(timer)
    }
  })
  return {
    watchers,
    step: async (i, message) => jobs.all[i]?.writer.step({ type: 'progress', progress: 50, message }),
    close() {
      for (const stop of timers) stop()
      void agent.destroy()
      jobs.close()
    },
  }
}
