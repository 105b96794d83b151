/**
 * The admin listeners, on a separate port. On loopback no token is required, because only this machine can reach it; on any
 * other address only metrics are served.
 */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import base from '../plugins/base.ts'
import core, { type Stagecast } from '../plugins/core.ts'
import errors from '../plugins/errors.ts'
import securityHeaders from '../plugins/security-headers.ts'
import boardRoutes from '../routes/admin/board.ts'
import historyRoutes from '../routes/admin/history.ts'
import metricsRoutes from '../routes/admin/metrics.ts'
import overviewRoutes from '../routes/admin/overview.ts'
import { type Config, isLoopback } from './config.ts'

export type Metrics = () => Promise<{ contentType: string; text: string }>

/** The listener of an API process: metrics, overview and single jobs. */
export async function openAdmin(config: Config, log: FastifyBaseLogger, api: FastifyInstance) {
  return listen(config, log, async (app) => {
    await app.register(base, { trustProxy: false })
    await app.register(share(api, 'catalogue'))
    await app.register(share(api, 'redis', 'fromRedis'))
    await app.register(share(api, 'queue'))
    await app.register(share(api, 'fleet'))
    await app.register(share(api, 'history'))
    await app.register(share(api, 'metrics'))
    await app.register(metricsRoutes, { guards: [] })
    if (!isLoopback(config.ADMIN_HOST)) return
    await app.register(overviewRoutes, { guards: [] })
    await app.register(historyRoutes, { guards: [] })
    await app.register(boardRoutes, { guards: [] })
  })
}

/** The listener of a worker process: its metrics. */
export async function openWorkerAdmin(config: Config, log: FastifyBaseLogger, metrics: Metrics) {
  return listen(config, log, async (app) => {
    await app.register(fp(async (app) => void Object.assign(app.stagecast, { metrics }), { name: 'metrics' }))
    await app.register(metricsRoutes, { guards: [] })
  })
}

/** Null unless ADMIN_PORT is set. */
async function listen(
  { ADMIN_HOST: host, ADMIN_PORT: port }: Config,
  log: FastifyBaseLogger,
  fill: (app: FastifyInstance) => Promise<void>,
): Promise<FastifyInstance | null> {
  if (port === undefined) return null
  const app = Fastify({ loggerInstance: log, forceCloseConnections: true }) as unknown as FastifyInstance
  await app.register(core)
  await app.register(errors, { catchAll: true })
  await app.register(securityHeaders, { contentSecurityPolicy: { useDefaults: false, directives: NOTHING } })
  if (isLoopback(host)) app.addHook('onRequest', async ({ hostname }) => refuseOtherNames(hostname))
  await fill(app)
  await app.listen({ host, port, listenTextResolver: (address) => `admin listener: ${address}` })
  return app
}

const NOTHING = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }

/** Prevents DNS rebinding: a web page could resolve its own name to this machine and read the listener. */
function refuseOtherNames(hostname: string): void {
  if (isLoopback(hostname)) return
  throw new ProblemError(
    'FORBIDDEN',
    'Use 127.0.0.1 or localhost as the host name: this listener only serves this machine',
  )
}

/** Shares a plugin's decorators with another instance, under the plugin's name; the original owns its lifetime. */
function share(api: FastifyInstance, name: keyof Stagecast, ...more: (keyof Stagecast)[]) {
  return fp(
    async (app) => {
      for (const one of [name, ...more]) Object.assign(app.stagecast, { [one]: api.stagecast[one] })
    },
    { name },
  )
}
