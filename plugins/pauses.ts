/** Lists paused queues, pauses and resumes them. See `journal/pauses.ts`. */
import { Queue } from 'bullmq'
import fp from 'fastify-plugin'
import { QUEUE_NAME } from '../journal/journal.ts'
import { pauseMessage, watchPauses } from '../journal/pauses.ts'
import { RUN_QUEUE_NAME } from '../runs/queue.ts'

declare module './core.ts' {
  interface Stagecast {
    pauses: {
      /** Names of the queues that are paused, as read from Redis in the last seconds. */
      current(): readonly string[]
      /** Asks Redis. Rejects if it does not answer. */
      look(): Promise<readonly string[]>
      /** Pauses the queue of jobs: running jobs continue, no other job starts. Returns the paused queues. Throws 503. */
      pause(): Promise<readonly string[]>
      /** Resumes every queue, no matter who paused it. Returns the paused queues. Throws 503. */
      resume(): Promise<readonly string[]>
    }
  }
}

export default fp<{ prefix: string }>(
  async (app, { prefix }) => {
    const { redis, fromRedis } = app.stagecast
    const pauses = watchPauses({
      redis,
      prefix,
      queues: [QUEUE_NAME, RUN_QUEUE_NAME],
      changed: (queue, isPaused) => app.log.warn({ queue }, pauseMessage(isPaused)),
    })
    app.addHook('preClose', async () => pauses.stop())
    app.stagecast.pauses = {
      current: pauses.current,
      look: pauses.look,
      pause: () => fromRedis(change([QUEUE_NAME], (queue) => queue.pause())),
      // Also moves jobs that a BullMQ before version 6 has set aside.
      resume: () => fromRedis(change([QUEUE_NAME, RUN_QUEUE_NAME], (queue) => queue.resume())),
    }

    async function change(names: string[], act: (queue: Queue) => Promise<void>): Promise<readonly string[]> {
      // Without this check BullMQ would wait until Redis is back, and pause or resume the queue then.
      if (redis.status !== 'ready') throw new Error('Redis is not connected')
      for (const name of names) {
        const queue = new Queue(name, { connection: redis, prefix })
        queue.on('error', (err) => app.log.debug({ err }, 'pausing'))
        await act(queue).finally(() => queue.close().catch(() => {}))
      }
      return pauses.look()
    }
  },
  { name: 'pauses', dependencies: ['redis'] },
)
