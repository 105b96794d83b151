/** Starts a stage service on a port. */
import type { FastifyBaseLogger } from 'fastify'
import { buildStageService, type StageServiceOptions } from './app.ts'

export interface Address {
  host: string
  /** 0 = a free port. */
  port: number
}

export interface StageService {
  /** Base URL without a trailing slash, as WORKER_URL needs it. */
  url: string
  /** Ends running work (after its grace period), then the listener. */
  close(): Promise<void>
}

/** The parts of a built service that are needed here. */
interface Listening {
  log: FastifyBaseLogger
  listen(options: Address & { listenTextResolver(address: string): string }): Promise<string>
  addresses(): readonly (string | { port: number } | null)[]
  close(): Promise<unknown>
}

/** Builds a service and starts it in this process. Rejects if the port is taken or `dataDir` is unusable. */
export async function startStageService({
  host,
  port,
  ...options
}: StageServiceOptions & Address): Promise<StageService> {
  return listen(await buildStageService(options), { host, port })
}

export async function listen(app: Listening, { host, port }: Address): Promise<StageService> {
  await app.listen({ host, port, listenTextResolver: (at) => `stage service listening at ${at}` })
  const taken = app.addresses().find((address) => typeof address === 'object' && address !== null)
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${(taken as { port: number } | undefined)?.port ?? port}`
  if (!isLoopback(host))
    app.log.warn('the stage service requires no token: allow only the worker to reach this address')
  return { url, close: async () => void (await app.close()) }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
