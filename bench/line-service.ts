/** A stage service in this process that keeps every call open, and writes progress on demand. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class LineService {
  readonly url: string
  private readonly server: Server
  private readonly calls = new Map<string, ServerResponse>()
  private opened: () => void = () => {}

  private constructor(server: Server) {
    this.server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(): Promise<LineService> {
    const server = createServer()
    server.listen(0, '127.0.0.1', 16_384)
    await once(server, 'listening')
    const service = new LineService(server)
    server.on('request', async (request, response) => {
      // Workers also ask for the list of stages, which is optional.
      if (request.method !== 'POST') return void response.writeHead(404).end()
      let text = ''
      for await (const chunk of request) text += chunk
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      response.write('{"type":"heartbeat"}\n')
      service.calls.set(JSON.parse(text).job_id, response)
      service.opened()
    })
    return service
  }

  /** Resolves once `count` calls are open. */
  async called(count: number): Promise<void> {
    while (this.calls.size < count)
      await new Promise<void>((resolve) => {
        this.opened = resolve
      })
  }

  progress(jobId: string, message: string): void {
    this.calls.get(jobId)?.write(`${JSON.stringify({ type: 'progress', percent: 50, message })}\n`)
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
  }
}
