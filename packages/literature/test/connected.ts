/** The live connectors, with the addresses of an imitation. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Agent } from 'undici'
import { type Clock, systemClock } from '../clock.ts'
import type { Completing, Searching, Source } from '../source.ts'
import { LIVE, openSources, type SourcesOptions } from '../sources/index.ts'
import type { Imitation } from './imitation.ts'

export interface Connected {
  all: ReadonlyMap<string, Source>
  searching(name: string): Searching
  crossref: Completing
}

export function connect(
  t: Test,
  imitation: Imitation,
  clock: Clock = systemClock,
  more: Partial<SourcesOptions> = {},
): Connected {
  const agent = new Agent()
  t.teardown(() => agent.destroy())
  const all = openSources({
    dispatcher: agent,
    limitsDir: join(t.testdir(), randomUUID()),
    urls: Object.fromEntries(LIVE.map((name) => [name, imitation.url(name)])),
    clock,
    ...more,
  })
  const find = <K extends Source['kind']>(name: string, kind: K) => {
    const source = all.get(name)
    if (source?.kind !== kind) throw new Error(`${name} is not a source that ${kind}`)
    return source as Extract<Source, { kind: K }>
  }
  return { all, searching: (name) => find(name, 'searches'), crossref: find('crossref', 'completes') }
}
