/** A host application that already uses every name and hook that Stagecast could conflict with. */
import jwt from '@fastify/jwt'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import stagecast, { type StagecastOptions } from '../../stagecast.ts'
import type { Owner } from '../helpers/owner.ts'
import { randomPrefix, sharedRedis } from '../helpers/redis.ts'

export interface Host {
  app: FastifyInstance
  url: string
  /** The host's own user, which `authenticate` passes to Stagecast. */
  redis: Redis
  prefixes: { left: string; right: string }
  logs: string[]
}

/** The host with Stagecast under /left and /right, each with separate callers, queue and keys. */
export async function startHost(t: Owner, more: Partial<StagecastOptions> = {}): Promise<Host> {
  const redisUrl = await sharedRedis(t)
  const redis = new Redis(redisUrl, { keyPrefix: 'host:', maxRetriesPerRequest: 5 })
  t.teardown(() => redis.disconnect())
  const logs: string[] = []
  const app = Fastify({
    logger: { level: 'trace', stream: { write: (line: string) => void logs.push(line) } },
  }) as unknown as FastifyInstance
  t.teardown(() => app.close())

  await app.register(jwt, { secret: 'the secret of the application around it' })
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Host', version: '1.0.0' } } })
  app.decorate('redis', 'redis of the host')
  app.decorate('queue', 'queue of the host')
  app.addSchema({
    $id: 'Problem',
    type: 'object',
    title: 'Problem',
    properties: { mine: { type: 'string' } },
  })
  app.addSchema({ $id: 'JobSnapshot', type: 'string' })
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ host: (error as Error).message }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'nothing here' }))
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify({ host: data }))
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', async function (request, reply) {
    const { redis, queue } = request.server as unknown as Record<string, unknown>
    reply.header('x-host', `${redis}, ${queue}, ${(this as unknown as Record<string, unknown>).redis}`)
    const user = request.headers['x-user']
    if (typeof user === 'string') request.user = { name: user }
  })
  app.get('/own', async (request) => ({ user: request.user }))
  app.get('/broken', async () => {
    throw new Error('broken in the host')
  })

  const prefixes = { left: randomPrefix(), right: randomPrefix() }
  const options = { services: { default: { url: 'http://127.0.0.1:9' } }, requestsPerMinute: 0, ...more }
  await app.register(stagecast, {
    ...options,
    redis,
    prefix: '/left',
    redisPrefix: prefixes.left,
    authenticate: ({ user }) => (user ? { id: `left:${(user as { name: string }).name}` } : null),
  })
  await app.register(stagecast, {
    ...options,
    redisUrl,
    prefix: '/right',
    redisPrefix: prefixes.right,
    async authenticate({ headers }) {
      const name = headers['x-right']
      if (name === undefined) throw new Error('who are you?')
      return { id: String(name), scopes: name === 'root' ? ['admin'] : [] }
    },
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, redis, prefixes, logs }
}
