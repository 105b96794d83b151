/** The stages of this service. */
import { join } from 'node:path'
import { Agent } from 'undici'
import type { StageTable } from '../stage-kit/stage.ts'
import { createCache } from './cache.ts'
import { systemClock } from './clock.ts'
import type { LiteratureSettings } from './literature-settings.ts'
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
  const agent = new Agent({ connect: { timeout: 10_000 } })
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
