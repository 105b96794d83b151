/** Runs the event stream's reader for the lifetime of the application. */
import fp from 'fastify-plugin'
import type { RedisSource } from '../journal/redis.ts'
import { startTail, type Tail } from '../watch/tail.ts'

declare module './core.ts' {
  interface Stagecast {
    tail: Omit<Tail, 'close'>
  }
}

export default fp<{ source: RedisSource; prefix: string }>(
  async (app, { source, prefix }) => {
    const tail = startTail({ source, prefix, stream: app.stagecast.journal.keys.events, log: app.log })
    app.stagecast.tail = tail
    app.addHook('onClose', () => tail.close())
  },
  { name: 'tail', dependencies: ['journal'] },
)
