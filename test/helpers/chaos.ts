/** Faults for the chaos tests, and work that takes long enough to be interrupted. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type Execute, execute, type Queued } from './app.ts'
import { type Answer, success } from './stage-service.ts'

const LINES = 12

/** Answers with a dozen lines at a realistic pace. Sometimes the attempt fails and is retried. */
export const talkative: Answer = async (call) => {
  const { response } = call
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const tell = (line: unknown) => response.write(`${JSON.stringify(line)}\n`)
  const failing = Math.random() < 0.15
  for (let i = 1; i <= LINES && !response.destroyed; i += 1) {
    tell({ type: 'progress', percent: (100 * i) / LINES, message: `line ${i}` })
    if (failing && i === LINES / 2) {
      response.end(`${JSON.stringify({ type: 'error', code: 'SHAKY', message: 'again', retryable: true })}\n`)
      return
    }
    await delay(20 + 80 * Math.random())
  }
  response.end(`${JSON.stringify({ type: 'result', ...success(call) })}\n`)
}

/** Breaks the connections that read event streams; returns how many. */
export async function killReaders(admin: Redis): Promise<number> {
  const list = (await admin.client('LIST')) as string
  const ids = list
    .split('\n')
    .flatMap((line) => (/ cmd=xread /.test(line) ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []))
  for (const id of ids) await admin.client('KILL', 'ID', id)
  return ids.length
}

/** Enqueues a job, and repeats the request if the process dies while it answers. The key makes the repeat harmless. */
export async function persistently(origins: () => string[], options: Execute = {}): Promise<Queued> {
  const headers = { 'idempotency-key': randomUUID() }
  const body = { workflow_id: randomUUID(), ...options.body }
  for (;;) {
    const origin = origins()[Math.floor(Math.random() * 2)] as string
    const response = await execute(origin, { ...options, headers, body }).catch(() => null)
    if (response?.status === 202) return (await response.json()) as Queued
    await delay(20)
  }
}

/** Calls `act` repeatedly at random intervals. */
export async function repeat(signal: AbortSignal, everyMs: number, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act()
    await delay(everyMs * (0.5 + Math.random()), null, { signal }).catch(() => {})
  }
}
