/** Counts responses in progress, so that closing waits for them but not for idle connections. */
import fp from 'fastify-plugin'

declare module './core.ts' {
  interface Stagecast {
    /** Resolves when no response is in progress, or after `ms`. */
    drained(ms: number): Promise<void>
  }
}

export default fp(
  async (app) => {
    let open = 0
    let emptied = () => {}
    const closed = () => {
      open -= 1
      if (open === 0) emptied()
    }
    app.addHook('onRequest', (_request, reply, done) => {
      open += 1
      // Fastify does not call onResponse if the client disconnects first.
      reply.raw.once('close', closed)
      done()
    })
    app.stagecast.drained = async (ms) => {
      if (open === 0) return
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, ms)
        emptied = () => {
          clearTimeout(late)
          resolve()
        }
      })
    }
  },
  { name: 'drain' },
)
