/** Closing waits for answers under way, and for nothing else that a connection may be open for. */
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

export default fp(
  async (app) => {
    // Node closes connections between two requests, but not those that browsers open before they have any.
    const unused = new Set<Socket>()
    let closing = false
    app.server.on('connection', (socket) => {
      if (closing) return void socket.destroy()
      unused.add(socket)
      socket.once('close', () => unused.delete(socket))
    })
    app.server.on('request', ({ socket }) => unused.delete(socket))

    app.addHook('preClose', async () => {
      closing = true
      // A connection that is busy now has had its last request.
      app.server.keepAliveTimeout = 1
      for (const socket of unused) if (socket.bytesRead === 0) socket.destroy()
    })
  },
  { name: 'closing' },
)
