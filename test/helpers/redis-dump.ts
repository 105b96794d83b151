/** Dumps everything that Redis stores for one queue. */
import type { TestApi } from './app.ts'

/** Every key of this queue with its content. */
export async function dump({ app, config }: TestApi): Promise<string> {
  const { redis } = app.stagecast
  const keys = await redis.keys(`${config.REDIS_PREFIX}:*`)
  const contents: unknown[] = []
  for (const key of keys.sort()) {
    const type = await redis.type(key)
    if (type === 'string') contents.push([key, await redis.get(key)])
    else if (type === 'hash') contents.push([key, await redis.hgetall(key)])
    else if (type === 'list') contents.push([key, await redis.lrange(key, 0, -1)])
    else if (type === 'zset') contents.push([key, await redis.zrange(key, '0', '-1')])
    else if (type === 'set') contents.push([key, await redis.smembers(key)])
    else if (type === 'stream') contents.push([key, await redis.xrange(key, '-', '+')])
  }
  return JSON.stringify(contents)
}
