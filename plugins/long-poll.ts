/** Limits how long a response waits for news, because proxies time out. */
import fp from 'fastify-plugin'

declare module './core.ts' {
  interface Stagecast {
    /** How long a response waits, in ms, if the client asks for `seconds`. */
    longPollMs(seconds: number | undefined): number
  }
}

export default fp<{ maxSeconds: number }>(
  async (app, { maxSeconds }) => {
    app.stagecast.longPollMs = (seconds = 0) => Math.min(seconds, maxSeconds) * 1000
  },
  { name: 'long-poll' },
)
