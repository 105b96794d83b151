/** Starts the stage service on a port, in this process: used by serve.ts and by the development door. */
import { buildStageService, type StageServiceOptions } from '../stage-kit/app.ts'

export interface StartOptions extends StageServiceOptions {
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

export async function startStageService({ host, port, ...options }: StartOptions): Promise<StageService> {
  const app = await buildStageService(options)
  await app.listen({ host, port, listenTextResolver: (at) => `stage service listening at ${at}` })
  const taken = app.addresses().find((address) => typeof address === 'object')?.port ?? port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`
  if (!isLoopback(host))
    app.log.warn('the stage service asks for no token: let only the worker reach this address')
  return { url, close: () => app.close() }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
