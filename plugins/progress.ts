/** Follows watched jobs. */
import fp from 'fastify-plugin'
import { Feeds } from '../watch/feeds.ts'
import { JobFeed } from '../watch/job-feed.ts'
import { TOUCHING } from '../watch/tail.ts'

declare module './core.ts' {
  interface Stagecast {
    /** Feeds of jobs, by job id. */
    progress: Feeds<JobFeed>
  }
}

/** Parsing more jobs at once would block the event loop for too long. */
const JOBS_PER_READ = 64

export default fp(
  async (app) => {
    const feeds = new Feeds<JobFeed>(
      {
        wake: app.stagecast.tail.wake,
        perRead: JOBS_PER_READ,
        create: (jobId) => new JobFeed(jobId),
        // Do not keep finished jobs, whose result may be large. While disconnected keep none, because feeds become stale.
        keeps: (feed) => !feed.isOver && app.stagecast.tail.connected,
        async read(batch, asOf) {
          const records = await app.stagecast.journal.records(batch.map(({ key }) => key))
          for (const [i, feed] of batch.entries()) feed.take(records[i] ?? null, asOf)
        },
      },
      app.log,
    )
    app.stagecast.progress = feeds
    app.addHook('preClose', async () => feeds.release())
    app.addHook('onClose', async () => feeds.close())

    app.stagecast.tail.listen({
      watching: () => !feeds.isEmpty,
      heard(message) {
        const feed = feeds.get(message.jobId)
        if (!feed) return
        const { event, announcement } = message
        if (announcement) {
          if (feed.append(announcement)) feeds.notify(feed)
          else feeds.catchUp(feed)
        } else if (TOUCHING.has(event) && !feed.isOver) feeds.catchUp(feed)
      },
      resynced: () => feeds.catchUpAll(),
    })
  },
  { name: 'progress', dependencies: ['journal', 'tail'] },
)
