/**
 * Closes without cutting answers short. In the end it destroys all connections: one that never carried a request, as
 * clients leave behind after an aborted call, does not count as idle and would keep the server open.
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long answers may take to reach their reader after the work has ended, in ms. */
const FLUSH_MS = 1_000

/** `stopWork` stops the jobs whose answers are open. Build the app with `forceCloseConnections: true`. */
export function installDrain(app: FastifyInstance, stopWork: () => Promise<void>): void {
  const open = new Set<ServerResponse>()
  let emptied = () => {}

  app.addHook('onRequest', async (_request, { raw }) => {
    open.add(raw)
    raw.once('close', () => {
      open.delete(raw)
      if (open.size === 0) emptied()
    })
  })

  app.addHook('preClose', async () => {
    await stopWork()
    if (open.size === 0) return
    const timer = new AbortController()
    const empty = new Promise<void>((resolve) => {
      emptied = resolve
    })
    await Promise.race([empty, pause(FLUSH_MS, undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
  })
}
