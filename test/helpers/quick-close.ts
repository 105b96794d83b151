/** Closes an API whose clients are still connected. */
import type { Test } from 'tap'
import type { TestApi } from './app.ts'

/**
 * Closes the API with the test, and cuts connections that would delay it: when `fetch` has lost a connection, it opens
 * another one and sends nothing over it.
 */
export function closeQuickly<T extends TestApi>(t: Test, api: T): T {
  t.teardown(async () => {
    const cutting = setInterval(() => api.app.server.closeAllConnections(), 10)
    await api.app.close()
    clearInterval(cutting)
  })
  return api
}
