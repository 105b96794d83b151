/** The only place that opens connections to HTTP servers: stage services, their files, the issuer's keys. */
import { BlockList, isIP } from 'node:net'
import { Agent, Dispatcher, EnvHttpProxyAgent, type RequestInit, fetch as undiciFetch } from 'undici'

/** Forward proxies, in the form of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Without a proxy, calls are direct. */
export interface ProxySettings {
  /** The proxy for http addresses, and for https addresses unless `https` is set. */
  http?: string | undefined
  /** The proxy for https addresses. */
  https?: string | undefined
  /** Hosts, with their subdomains, and networks to call directly, comma-separated; `*` = all. Loopback is always direct. */
  none?: string | undefined
}

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** Opens connections that obey `proxy`. The caller must close the dispatcher. */
export function openDispatcher(proxy: ProxySettings, options: Agent.Options): Dispatcher {
  const { http, https } = proxy
  const direct = (proxy.none ?? '').split(/[,\s]+/).filter(Boolean)
  if ((!http && !https) || direct.includes('*')) return new Agent(options)
  const networks = direct.filter(isNetwork)
  const proxies = new EnvHttpProxyAgent({
    ...options,
    // An empty text, unlike undefined, keeps undici from reading the environment.
    httpProxy: http ?? '',
    httpsProxy: https ?? '',
    noProxy: [...direct.filter((one) => !isNetwork(one)), 'localhost', '127.0.0.1', '::1']
      .map(bracketed)
      .join(','),
    // Many proxies allow tunnels to port 443 only, so plain http is forwarded, not tunnelled.
    proxyTunnel: false,
  })
  return networks.length > 0 ? new PastNetworks(proxies, new Agent(options), networks) : proxies
}

/** Calls addresses within some networks directly. Host names are not resolved, because the proxy may resolve them differently. */
class PastNetworks extends Dispatcher {
  private readonly proxies: Dispatcher
  private readonly direct: Dispatcher
  private readonly networks = new BlockList()

  constructor(proxies: Dispatcher, direct: Dispatcher, networks: readonly string[]) {
    super()
    this.proxies = proxies
    this.direct = direct
    for (const network of networks) {
      const [address = '', bits] = network.split('/')
      this.networks.addSubnet(address, Number(bits), familyOf(address))
    }
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const host = new URL(String(options.origin)).hostname.replace(/^\[|\]$/g, '')
    const isDirect = isIP(host) !== 0 && this.networks.check(host, familyOf(host))
    return (isDirect ? this.direct : this.proxies).dispatch(options, handler)
  }

  override async close(): Promise<void> {
    await Promise.all([this.proxies.close(), this.direct.close()])
  }

  override async destroy(): Promise<void> {
    await Promise.all([this.proxies.destroy(), this.direct.destroy()])
  }
}

/** A `fetch` that obeys the proxies. `close` ends its connections. */
export function openFetch(proxy: ProxySettings = {}): { fetch: Fetch; close(): Promise<void> } {
  const dispatcher = openDispatcher(proxy, { connect: { timeout: 10_000 } })
  return {
    // The cast is needed because Node's types and undici's define the same classes separately.
    fetch: (url, init) => undiciFetch(url, { ...init, dispatcher }) as unknown as Promise<Response>,
    close: () => dispatcher.destroy(),
  }
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

/** Whether `text` is a network, such as `10.0.0.0/8` or `fd00::/8`. */
function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  const longest = { 4: 32, 6: 128 }[isIP(address)] ?? -1
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= longest
}
