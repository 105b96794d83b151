/** An HTTP proxy that passes a response on only when it is complete, as some proxies do. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface BufferingProxy {
  url: string
  /** Path of every request, and whether its answer was passed on. */
  readonly seen: { path: string; accept: string; passed: boolean }[]
}

/** A proxy to the server at `target`, closed with the test. */
export async function bufferingProxy(t: Test, target: string): Promise<BufferingProxy> {
  const seen: BufferingProxy['seen'] = []
  const server = createServer(async (request, response) => {
    const { method = 'GET', url: path = '/', headers } = request
    const entry = { path, accept: headers.accept ?? '', passed: false }
    seen.push(entry)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const given = new AbortController()
    response.on('close', () => given.abort())
    try {
      const answer = await fetch(target + path, {
        method,
        headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
          ['host', 'connection', 'content-length'].includes(name) ? [] : [[name, String(value)]],
        ),
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
        signal: given.signal,
      })
      const body = Buffer.from(await answer.arrayBuffer())
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'application/octet-stream',
      })
      response.end(body)
      entry.passed = true
    } catch {
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}
