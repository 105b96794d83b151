/** How a broken stage delays another: jobs of stage 9 one after the other, alone and beside a failing stage 14. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Benchmark } from './benchmark.ts'
import { type Figures, interleave } from './interleave.ts'
import { against } from './rows.ts'
import { production, spawnApi, token } from './stagecast.ts'
import { quantile } from './statistics.ts'

const ALONE = 'no broken stage'
/** Jobs of the broken stage queued beforehand. */
const BROKEN_JOBS = 12

/** Behaviour of stage 14's service; null: nothing listens on its port. */
const FAULTS: Record<string, RequestListener | null> = {
  'stage 14 answers 500': (_request, response) => void response.writeHead(500).end(),
  'stage 14 hangs': () => {},
  'stage 14 refuses connections': null,
}

export const isolation: Benchmark = {
  name: 'isolation',
  title: 'From the request to the end of a job of stage 9, while stage 14 is broken',
  async run(bench) {
    const good = await bench.spawn('instant-service')
    const dir = await mkdtemp(join(tmpdir(), 'stagecast-isolation-'))
    const closers: (() => void)[] = []
    try {
      const subjects: Record<string, () => Promise<Figures>> = {
        [ALONE]: () => measure(bench, join(dir, 'none.json'), 0),
      }
      await writeFile(join(dir, 'none.json'), catalogue(good.url, good.url))
      for (const [index, [name, listener]] of Object.entries(FAULTS).entries()) {
        const { url, close } = await listen(listener)
        closers.push(close)
        const file = join(dir, `${index}.json`)
        await writeFile(file, catalogue(good.url, url))
        subjects[name] = () => measure(bench, file, BROKEN_JOBS)
      }
      const series = await interleave(bench.runs, subjects, false)
      return Object.keys(FAULTS).map((name) =>
        against(series, ALONE, 'p50 of stage 9', 'ms', 'p50', { at: 'most', value: 1.2 }, name),
      )
    } finally {
      for (const close of closers) close()
      await rm(dir, { recursive: true, force: true })
    }
  },
}

function catalogue(nine: string, fourteen: string): string {
  const stage = (number: number, service: string) => ({
    stage: number,
    slug: `s${number}`,
    title: `Stage ${number}`,
    service,
  })
  const services = { good: { url: nine }, other: { url: fourteen } }
  return JSON.stringify({ stages: [stage(9, 'good'), stage(14, 'other')], services })
}

async function listen(listener: RequestListener | null): Promise<{ url: string; close: () => void }> {
  const server = createServer(listener ?? (() => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  if (!listener) close()
  return { url, close }
}

/** Runs a separate API and worker with default settings. */
async function measure(bench: Bench, STAGES_FILE: string, broken: number): Promise<Figures> {
  const prefix = bench.prefix()
  const env = { STAGES_FILE, LOG_LEVEL: 'silent' }
  const api = await spawnApi(bench, prefix, env)
  const worker = await bench.spawn('stagecast-worker', { env: production(bench, prefix, env) })
  for (let i = 0; i < broken; i += 1) await execute(api.url, 14, 0)
  const took: number[] = []
  const warmUp = bench.size(50, 2)
  for (let i = -warmUp; i < bench.size(300, 5); i += 1) {
    const from = performance.now()
    await execute(api.url, 9, 30)
    if (i >= 0) took.push(performance.now() - from)
  }
  await worker.stop()
  await api.stop()
  return { p50: quantile(took, 0.5) }
}

/** Resolves when the job is accepted, or, with `wait` in seconds, when it has completed. */
async function execute(url: string, stage: number, wait: number): Promise<void> {
  const response = await fetch(`${url}/api/workflow/stages/${stage}/execute`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token('user-1')}`,
      'content-type': 'application/json',
      ...(wait > 0 && { prefer: `wait=${wait}` }),
    },
    body: JSON.stringify({ workflow_id: randomUUID() }),
  })
  const { status } = (await response.json()) as { status?: unknown }
  if (wait > 0 ? status !== 'completed' : response.status !== 202)
    throw new Error(`a job of stage ${stage}: ${response.status}, ${String(status)}`)
}
