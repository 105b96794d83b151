/** Puts a stage service on a port. */
import type { FastifyBaseLogger } from 'fastify'
import { buildStageService, type StageServiceOptions } from './app.ts'

export interface Address {
  host: string
  /** 0 = a free port. */
  port: number
}

export interface StageService {
  /** Base URL without a slash at the end: what WORKER_URL wants. */
  url: string
  /** Ends running work (after its grace), then the listener. */
  close(): Promise<void>
}

/** A built service, of which nothing else is needed here. */
interface Listening {
  log: FastifyBaseLogger
  listen(options: Address & { listenTextResolver(address: string): string }): Promise<string>
  addresses(): readonly (string | { port: number } | null)[]
  close(): Promise<unknown>
}

/** Builds a service and starts it in this process. Rejects when the port is taken or `dataDir` cannot be used. */
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
    app.log.warn('the stage service asks for no token: let only the worker reach this address')
  return { url, close: async () => void (await app.close()) }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
