/** Closing an API whose clients are still around. */
import type { Test } from 'tap'
import type { TestApi } from './app.ts'

/**
 * Closes the API with the test and cuts what keeps it from that: fetch, when it has lost a connection, opens another
 * one and asks nothing over it.
 */
export function closeQuickly<T extends TestApi>(t: Test, api: T): T {
  t.teardown(async () => {
    const cutting = setInterval(() => api.app.server.closeAllConnections(), 10)
    await api.app.close()
    clearInterval(cutting)
  })
  return api
}
