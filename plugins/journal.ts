/** The journal of this queue, read through the connection that serves requests. */
import fp from 'fastify-plugin'
import { type JournalReader, openJournal } from '../journal/reader.ts'

export interface JournalPluginOptions {
  /** Prefix of all keys. */
  prefix: string
  resultTtlSeconds: number
  workflowTtlSeconds: number
}

declare module './core.ts' {
  interface Stagecast {
    journal: JournalReader
  }
}

export default fp<JournalPluginOptions>(
  async (app, options) => {
    const { redis, fromRedis } = app.stagecast
    app.stagecast.journal = openJournal({ ...options, redis, fromRedis })
  },
  { name: 'journal', dependencies: ['redis'] },
)
