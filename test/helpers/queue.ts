/** The queue through BullMQ alone, without our code. */
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { Env } from './app.ts'

/** Opens a queue that is closed with the test. */
export function openQueue(t: Test, env: Env, name = 'workflow-stages'): Queue {
  const url = (env.REDIS_URL as string).replace('unix://', '')
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  connection.on('error', () => {})
  const queue = new Queue(name, { connection, prefix: env.REDIS_PREFIX as string })
  queue.on('error', () => {})
  t.teardown(async () => {
    await queue.close()
    connection.disconnect()
  })
  return queue
}
