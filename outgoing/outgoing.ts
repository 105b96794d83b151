/** The only place that opens connections to HTTP servers: stage services, their files, the issuer's keys. */
import { isIP } from 'node:net'
import { Agent, type Dispatcher, EnvHttpProxyAgent, type RequestInit, fetch as undiciFetch } from 'undici'

/** Forward proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them. Without any, calls go out directly. */
export interface ProxySettings {
  /** For http addresses; and for https addresses, unless `https` is set. */
  http?: string | undefined
  /** For https addresses. */
  https?: string | undefined
  /** Comma-separated hosts that are called directly, with their subdomains; `*` = all. Loopback always is. */
  none?: string | undefined
}

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** The caller closes it. */
export function openDispatcher(proxy: ProxySettings, options: Agent.Options): Dispatcher {
  const { http, https } = proxy
  const direct = (proxy.none ?? '').split(/[,\s]+/).filter(Boolean)
  if ((!http && !https) || direct.includes('*')) return new Agent(options)
  return new EnvHttpProxyAgent({
    ...options,
    // An empty text, unlike undefined, keeps undici from reading the environment.
    httpProxy: http ?? '',
    httpsProxy: https ?? '',
    noProxy: [...direct, 'localhost', '127.0.0.1', '::1'].map(bracketed).join(','),
    // Many proxies allow tunnels to port 443 only, so plain http is forwarded, not tunnelled.
    proxyTunnel: false,
  })
}

/** `fetch` by way of the proxies. `close` ends its connections. */
export function openFetch(proxy: ProxySettings = {}): { fetch: Fetch; close(): Promise<void> } {
  const dispatcher = openDispatcher(proxy, { connect: { timeout: 10_000 } })
  return {
    // Two type definitions of one class: Node's own fetch is a version of undici too.
    fetch: (url, init) => undiciFetch(url, { ...init, dispatcher }) as unknown as Promise<Response>,
    close: () => dispatcher.destroy(),
  }
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
