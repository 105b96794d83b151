/** How long an answer may be held back until there is news. Proxies give up on an answer sooner or later. */
import fp from 'fastify-plugin'

declare module './core.ts' {
  interface Stagecast {
    /** The time in ms for a client that would wait for so many seconds. */
    longPollMs(seconds: number | undefined): number
  }
}

export default fp<{ maxSeconds: number }>(
  async (app, { maxSeconds }) => {
    app.stagecast.longPollMs = (seconds = 0) => Math.min(seconds, maxSeconds) * 1000
  },
  { name: 'long-poll' },
)
