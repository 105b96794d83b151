/** Calls to other HTTP servers, through the configured proxies. */

import fp from 'fastify-plugin'
import type { Agent, Dispatcher } from 'undici'
import { type Fetch, openDispatcher, openFetch, type ProxySettings } from '../outgoing/outgoing.ts'

declare module './core.ts' {
  interface Stagecast {
    outgoing: {
      fetch: Fetch
      /** Opens connections with the given limits; they close with the application. */
      open(options: Agent.Options): Dispatcher
    }
  }
}

export default fp<{ proxy: ProxySettings }>(
  async (app, { proxy }) => {
    const { fetch, close } = openFetch(proxy)
    app.addHook('onClose', close)
    app.stagecast.outgoing = {
      fetch,
      open(options) {
        const dispatcher = openDispatcher(proxy, options)
        app.addHook('onClose', () => dispatcher.destroy())
        return dispatcher
      },
    }
  },
  { name: 'outgoing', dependencies: ['core'] },
)
