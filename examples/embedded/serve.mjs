import { buildApp } from './app.mjs'

const app = await buildApp({
  redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  redisPrefix: process.env.REDIS_PREFIX,
  workerUrl: process.env.WORKER_URL ?? 'http://127.0.0.1:8000',
  sessionSecret: process.env.SESSION_SECRET ?? '',
  logger: true,
})
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close())
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
