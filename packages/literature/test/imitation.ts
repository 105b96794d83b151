/**
 * The four sources on one local server, with the format of their real answers, and with faults on demand. The records are
 * invented; formats and field names are those that the sources document.
 */
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Live } from '../sources/index.ts'
import { type Entry, LIBRARY } from './imitation-library.ts'
import { crossrefPage, europePmcPage, openAlexPage, pubmedArticles, pubmedIds } from './imitation-shapes.ts'

export type { Entry } from './imitation-library.ts'

/** Answers a request instead of the source. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => void

export interface Imitation {
  /** Base URL of a source. */
  url(source: Live): string
  /** Faults of a source, used up one by one; `always` is used when the list is empty. */
  fail(source: Live, faults: Fault[], always?: Fault): void
  /** What a source holds; by default the whole library. */
  hold(source: Live, entries: readonly Entry[]): void
  /** Every request so far: path and parameters. */
  requests: { source: string; path: string; parameters: URLSearchParams; headers: http.IncomingHttpHeaders }[]
  count(source: Live): number
  /** Resolves when a request arrives. */
  arrival(): Promise<unknown>
  /** Requests the server has not answered and whose connection is open. */
  open(): number
  /** Resolves when no request is open any more. */
  quiet(): Promise<void>
}

export async function imitate(t: Test): Promise<Imitation> {
  const faults = new Map<string, { next: Fault[]; always: Fault | undefined }>()
  const held = new Map<string, readonly Entry[]>()
  const requests: Imitation['requests'] = []
  const open = new Set<ServerResponse>()

  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [, source = '', ...path] = url.pathname.split('/')
    requests.push({ source, path: path.join('/'), parameters: url.searchParams, headers: request.headers })
    open.add(response)
    response.once('close', () => {
      open.delete(response)
      server.emit('answered')
    })
    server.emit('arrived')
    const planned = faults.get(source)
    const fault = planned?.next.shift() ?? planned?.always
    if (fault) return fault(request, response)
    answer(source, path.join('/'), url.searchParams, held.get(source) ?? LIBRARY, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    requests,
    url: (source) => `${base}/${source}`,
    fail: (source, next, always) => void faults.set(source, { next: [...next], always }),
    hold: (source, entries) => void held.set(source, entries),
    count: (source) => requests.filter((request) => request.source === source).length,
    arrival: () => once(server, 'arrived'),
    open: () => open.size,
    async quiet() {
      while (open.size > 0) await once(server, 'answered')
    },
  }
}

function answer(
  source: string,
  path: string,
  parameters: URLSearchParams,
  entries: readonly Entry[],
  response: ServerResponse,
): void {
  const json = (value: unknown) =>
    response.setHeader('content-type', 'application/json;charset=UTF-8').end(JSON.stringify(value))
  if (source === 'europepmc' && path === 'search') return void json(europePmcPage(entries, parameters))
  if (source === 'openalex' && path === 'works') return void json(openAlexPage(entries, parameters))
  if (source === 'pubmed' && path === 'esearch.fcgi') return void json(pubmedIds(entries, parameters))
  if (source === 'pubmed' && path === 'efetch.fcgi') {
    response.setHeader('content-type', 'text/xml; charset=UTF-8').end(pubmedArticles(entries, parameters))
    return
  }
  if (source === 'crossref' && path === 'works') {
    response.setHeader('x-rate-limit-limit', '50').setHeader('x-rate-limit-interval', '1s')
    response.setHeader('x-concurrency-limit', '1')
    return void json(crossrefPage(entries, parameters))
  }
  response.writeHead(404).end()
}

export const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  (_request, response) =>
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end('{"error":"no"}')

/** Accepts the request but never answers. */
export const silence: Fault = () => undefined

/** Announces more bytes than it sends, then closes the connection. */
export const cutOff: Fault = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
  response.write('{"hitCount": 3, "resultList": {"res', () => response.destroy())
}

export const body =
  (text: string, type = 'application/json'): Fault =>
  (_request, response) =>
    response.writeHead(200, { 'content-type': type }).end(text)

export const htmlPage = body('<!doctype html><title>Down for maintenance</title>', 'text/html')
export const hangUp: Fault = (request) => request.socket.destroy()
