/** API and worker for tests, in this process or as children, on free ports and with a separate prefix. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { NO_TRACING } from '../../contract/tracing.ts'
import { type AppParts, buildApp } from '../../server/app.ts'
import { type Config, loadConfig } from '../../server/config.ts'
import { workerOptions } from '../../server/processes.ts'
import { type StageWorker, startStageWorker } from '../../workers/stage-worker.ts'
import type { Owner } from './owner.ts'
import { program, ROOT } from './processes.ts'
import { randomPrefix, sharedRedis } from './redis.ts'

export type Env = Record<string, string>

export const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'
export const JWT_SECRET = 'a test secret that is longer than thirty-two bytes'

/** An environment for tests: shared Redis, random prefix, short times. By default nothing listens at `WORKER_URL`. */
export async function testEnv(t: Owner, overrides: Env = {}): Promise<Env> {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    REDIS_URL: overrides.REDIS_URL ?? (await sharedRedis(t)),
    REDIS_PREFIX: randomPrefix(),
    WORKER_URL: 'http://127.0.0.1:9',
    JWT_SECRET,
    RATE_LIMIT_PER_MINUTE: '0',
    STAGE_JOB_BACKOFF_MS: '50',
    WORKER_LOCK_MS: '2000',
    WORKER_STALLED_CHECK_MS: '500',
    SHUTDOWN_GRACE_MS: '5000',
    LOG_LEVEL: 'trace',
    ...overrides,
  }
}

export interface TestApi {
  app: FastifyInstance
  url: string
  config: Config
  /** Every line logged so far. */
  logs: string[]
}

/** The API in this process, listening on a real socket; closed with the test. */
export async function startApi(t: Test, env: Env, parts: AppParts = {}): Promise<TestApi> {
  const config = loadConfig(env)
  const { log, logs } = memoryLog()
  const app = await buildApp(config, log, parts)
  t.teardown(() => app.close())
  const url = await app.listen({ host: config.HOST, port: config.PORT })
  return { app, url, config, logs }
}

/** A worker in this process; closed with the test. */
export function startWorker(t: Test, env: Env): StageWorker & { logs: string[] } {
  const config = loadConfig(env)
  const { log, logs } = memoryLog()
  const worker = startStageWorker({ ...workerOptions(config), log, tracing: NO_TRACING })
  t.teardown(() => worker.close(1000))
  return { ...worker, logs }
}

export function memoryLog() {
  const logs: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logs.push(String(chunk))
      done()
    },
  })
  return { log: pino({ level: 'trace' }, sink), logs }
}

export interface Door {
  child: ChildProcess
  /** Base URL of the API, or of the worker's health listener. */
  url: string
  logs: string[]
  /** Exit code, or the name of the signal that ended it. */
  exited: Promise<number | string>
}

export interface DoorOptions {
  /** Arguments of the program. */
  args?: string[]
  /** A module that Node loads before the program. */
  preload?: string
  /** How many files the process may have open. */
  openFiles?: number
}

/** server/api.ts, server/worker.ts or server/all.ts as a real process; killed with the test. Resolves once it listens. */
export async function startDoor(
  t: Owner,
  file: string,
  env: Env,
  { args: words = [], preload, openFiles }: DoorOptions = {},
): Promise<Door> {
  const node = [process.execPath, ...(preload ? [`--import=${preload}`] : []), program(file), ...words]
  const limited = openFiles ? ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...node] : node
  const [command, ...args] = limited as [string]
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(preload ? ['ipc' as const] : [])],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const logs: string[] = []
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  child.stderr?.on('data', (chunk) => logs.push(String(chunk)))
  const listening = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      logs.push(line)
      const at = /listening at (http:\/\/[^"\s]+)/.exec(line)?.[1]
      if (at) resolve(at)
    })
  })
  const url = await Promise.race([listening, exited])
  if (typeof url !== 'string' || !url.startsWith('http')) throw new Error(`${file} ended: ${logs.join('\n')}`)
  return { child, url, logs, exited }
}

/** A signed HS256 token. */
export function token(sub = 'alice', claims: Record<string, unknown> = {}): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  // Tests shift clocks, but never by this much.
  const exp = Math.floor(Date.now() / 1000) + 86_400
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, exp, ...claims })}`
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`
}

export function authorization(sub?: string): { authorization: string } {
  return { authorization: `Bearer ${token(sub)}` }
}

export interface Execute {
  stage?: number
  user?: string
  headers?: Record<string, string>
  body?: Record<string, unknown>
}

/** POSTs an execute with sensible defaults. */
export function execute(url: string, { stage = 2, user, headers, body }: Execute = {}): Promise<Response> {
  return fetch(`${url}/api/workflow/stages/${stage}/execute`, {
    method: 'POST',
    headers: { ...authorization(user), 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION, ...body }),
  })
}

export interface Queued {
  job_id: string
  urls: { status: string; events: string; cancel: string }
}

/** Executes and requires a 202. Like a good client, it repeats a request that a busy machine did not confirm in time. */
export async function enqueue(url: string, options: Execute = {}): Promise<Queued> {
  const headers = { 'idempotency-key': randomUUID(), ...options.headers }
  // Send the same body each time: the key with another body is a 422.
  const body = { workflow_id: randomUUID(), ...options.body }
  for (let tries = 1; ; tries += 1) {
    const response = await execute(url, { ...options, headers, body })
    if (response.status === 202) return (await response.json()) as Queued
    const problem = await response.text()
    if (response.status !== 503 || tries === 5)
      throw new Error(`execute answered ${response.status}: ${problem}`)
  }
}

/** GETs JSON as a user. */
export async function get<T = Record<string, unknown>>(
  url: string,
  user?: string,
  headers: Record<string, string> = {},
): Promise<T> {
  return (await fetch(url, { headers: { ...authorization(user), ...headers } })).json() as Promise<T>
}
