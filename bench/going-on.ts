/** How soon the next step of a run starts, compared with two jobs added by hand. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import { type Figures, interleave, type Series } from './interleave.ts'
import { against, OURS } from './rows.ts'
import { production, spawnApi, token } from './stagecast.ts'
import { quantile, summarise } from './statistics.ts'

/** A client watches the first job and adds the second as soon as it has completed. */
const HAND = 'two jobs, the second one added when the first has completed'
/** The worker finds the second job in its queue, with nothing to do in between. */
const QUEUED = 'two jobs, both in the queue from the start'
const MOST_MS = 5

export const goingOn: Benchmark = {
  name: 'going-on',
  title: 'From the end of one step to the start of the next: one worker, one workflow at a time',
  async run(bench) {
    const service = await bench.spawn('noting-service')
    const dir = await mkdtemp(join(tmpdir(), 'stagecast-going-on-'))
    const STAGES_FILE = join(dir, 'stages.json')
    await writeFile(
      STAGES_FILE,
      JSON.stringify({ services: {}, stages: [stage(1), { ...stage(2), needs: [1] }] }),
    )
    const prefix = bench.prefix()
    const env = { WORKER_URL: service.url, STAGES_FILE, STAGE_WORKER_CONCURRENCY: '1', LOG_LEVEL: 'silent' }
    const api = await spawnApi(bench, prefix, env)
    await bench.spawn('stagecast-worker', { env: production(bench, prefix, env) })
    const side = (take: (workflow: Workflow) => Promise<void>) => () =>
      measure(bench, take, new Client(api.url), (ids) => service.ask<number[]>('gaps', ids))
    const series = await interleave(bench.runs, {
      [OURS]: side((one) => one.run()),
      [HAND]: side((one) => one.byHand()),
      [QUEUED]: side((one) => one.queued()),
    })
    await rm(dir, { recursive: true, force: true })
    return [
      ...[HAND, QUEUED].map((floor) => against(series, floor, 'next start p50', 'ms', 'p50')),
      ...[HAND, QUEUED].map((floor) => more(series, floor)),
      against(series, HAND, 'next start p99', 'ms', 'p99'),
    ]
  },
}

function stage(number: number) {
  return { stage: number, slug: `s${number}`, title: `Stage ${number}` }
}

/** The difference of each pair: the limit is in ms, so a ratio would not help. */
function more(series: Series, floor: string): Row {
  const theirs = series.of(floor, 'p50')
  const figure = summarise(series.of(OURS, 'p50').map((ours, i) => ours - (theirs[i] as number)))
  const what = `more than with ${floor}, p50`
  return { what, unit: 'ms', subject: OURS, figure, target: { at: 'most', value: MOST_MS } }
}

async function measure(
  bench: Bench,
  take: (workflow: Workflow) => Promise<void>,
  client: Client,
  gapsOf: (ids: string[]) => Promise<number[]>,
): Promise<Figures> {
  const ids: string[] = []
  for (let i = 0; i < bench.size(150, 3); i += 1) {
    const workflow = new Workflow(client)
    await take(workflow)
    ids.push(workflow.id)
  }
  const gaps = await gapsOf(ids)
  return { p50: quantile(gaps, 0.5), p99: quantile(gaps, 0.99) }
}

class Client {
  private readonly url: string
  private readonly headers = {
    authorization: `Bearer ${token('user-1')}`,
    'content-type': 'application/json',
  }

  constructor(url: string) {
    this.url = url
  }

  async post<T>(path: string, body: object): Promise<T> {
    const init = { method: 'POST', headers: this.headers, body: JSON.stringify(body) }
    const response = await fetch(this.url + path, init)
    if (response.status !== 202) throw new Error(`${path} answered ${response.status}`)
    return (await response.json()) as T
  }

  /** Reads an event stream until a job or run of it has completed. */
  async completed(path: string): Promise<void> {
    const leaving = new AbortController()
    const response = await fetch(this.url + path, {
      headers: { accept: 'text/event-stream' },
      signal: leaving.signal,
    })
    let text = ''
    for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream(),
    )) {
      text += chunk
      if (!isOver(text)) continue
      leaving.abort()
      return
    }
    throw new Error(`the stream ended before anything completed: ${text.slice(-300)}`)
  }
}

/** Looks for a complete frame. For a run, it ignores the events of its jobs. */
function isOver(text: string): boolean {
  const frames = text.split('\n\n').slice(0, -1)
  return frames.some((frame) => /^event: run$[\s\S]*"status":"completed"/m.test(frame) || isJobEnd(frame))
}

function isJobEnd(frame: string): boolean {
  return /^event: completed$/m.test(frame) && !frame.includes('"run_id"')
}

interface Answered {
  urls: { events: string }
}

/** Runs a workflow of two stages to its end. */
class Workflow {
  readonly id = randomUUID()
  private readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  async run(): Promise<void> {
    const { urls } = await this.client.post<Answered>(`/api/workflow/workflows/${this.id}/runs`, {
      stages: [1, 2],
    })
    await this.client.completed(urls.events)
  }

  async byHand(): Promise<void> {
    for (const stage of [1, 2]) await this.client.completed((await this.add(stage)).urls.events)
  }

  async queued(): Promise<void> {
    await this.add(1)
    await this.client.completed((await this.add(2)).urls.events)
  }

  private add(stage: number): Promise<Answered> {
    return this.client.post(`/api/workflow/stages/${stage}/execute`, { workflow_id: this.id })
  }
}
