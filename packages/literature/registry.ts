/** The stages of this service. */
import { join } from 'node:path'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { StageTable } from '../stage-kit/stage.ts'
import { createCache } from './cache.ts'
import { systemClock } from './clock.ts'
import type { LiteratureSettings, ProxySettings } from './literature-settings.ts'
import { openSources } from './sources/index.ts'
import { literatureStage } from './stage.ts'
import { stagesAround } from './stages-around.ts'

export interface BuiltIn {
  stages: StageTable
  /** Removes expired data from their folders. */
  sweep(): Promise<void>
  /** Closes their connections. */
  close(): Promise<void>
}

/** Throws a `StageFailure` if the settings name unknown or incompatible sources. */
export function builtInStages(dataDir: string, settings: LiteratureSettings): BuiltIn {
  const agent = openAgent(settings.proxy)
  const cache = createCache(join(dataDir, 'cache'), settings.cacheMs, systemClock)
  const sources = openSources({
    dispatcher: agent,
    limitsDir: join(dataDir, 'limits'),
    contact: settings.contact,
    keys: settings.keys,
    urls: settings.urls,
    deadlineMs: settings.deadlineMs,
  })
  return {
    stages: new Map(
      [
        ...stagesAround(dataDir, { sources, chosen: settings.sources }),
        [2, literatureStage({ sources, chosen: settings.sources, cache })] as const,
      ].sort(([a], [b]) => a - b),
    ),
    sweep: async () => void (await cache.sweep()),
    close: () => agent.destroy(),
  }
}

/** undici would read the environment if a setting were undefined. */
function openAgent(proxy: ProxySettings | undefined): Dispatcher {
  const options = { connect: { timeout: 10_000 } }
  if (!proxy) return new Agent(options)
  const noProxy = proxy.none.split(/[,\s]+/).includes('*') ? '*' : `${proxy.none},localhost,127.0.0.1,[::1]`
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: proxy.http,
    httpsProxy: proxy.https,
    noProxy,
    // Many proxies allow tunnels to port 443 only, so plain http is forwarded.
    proxyTunnel: false,
  })
}
