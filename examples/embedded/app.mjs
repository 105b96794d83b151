/** An application with its own sessions and its own `request.user`, and Stagecast in it under /research. */
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import session from '@fastify/session'
import Fastify from 'fastify'
import stagecast, { startStageWorker } from 'stagecast'
import { login, page, users } from './users.mjs'

/**
 * @param {object} settings
 * @param {string} settings.redisUrl
 * @param {string} settings.workerUrl the stage service
 * @param {string} settings.sessionSecret 32 characters at least
 * @param {string} [settings.redisPrefix]
 * @param {boolean} [settings.logger]
 */
export async function buildApp({
  redisUrl,
  redisPrefix = 'research',
  workerUrl,
  sessionSecret,
  logger = false,
}) {
  const app = Fastify({ logger, requestTimeout: 30_000, forceCloseConnections: true })
  await app.register(cookie)
  await app.register(formbody)
  // `lax`: pages of other sites cannot make a browser send the cookie with a POST.
  await app.register(session, {
    secret: sessionSecret,
    cookieName: 'sid',
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
  })
  app.decorateRequest('user', null)
  app.addHook('onRequest', async (request) => {
    const name = request.session.get('user')
    if (name) request.user = { name, ...users.get(name) }
  })

  app.get('/', async (request, reply) => reply.type('text/html').send(page(request.user)))
  app.post('/login', async (request, reply) => {
    const name = login(request.body)
    if (!name) return reply.code(401).type('text/html').send(page(null, 'Name or password is wrong.'))
    // Start a new session, so that a session ID planted by an attacker is useless.
    await request.session.regenerate()
    request.session.set('user', name)
    return reply.redirect('/')
  })
  app.post('/logout', async (request, reply) => {
    await request.session.destroy()
    return reply.redirect('/')
  })
  app.get('/me', async (request) => ({ user: request.user }))

  const connection = { redisUrl, redisPrefix, services: { default: { url: workerUrl } } }
  await app.register(stagecast, {
    ...connection,
    prefix: '/research',
    // The hook above has run. Without a session there is no user, and null is a 401.
    authenticate: ({ user }) => user && { id: user.name, scopes: user.admin ? ['admin'] : [] },
  })

  // The worker runs in this process. For a separate process, move these lines to another file.
  const worker = startStageWorker({ ...connection, log: app.log })
  app.addHook('onClose', () => worker.close(10_000))
  return app
}
