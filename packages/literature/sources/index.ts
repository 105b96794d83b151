/** The sources of this version: their addresses and their limits. */
import { join } from 'node:path'
import type { Dispatcher } from 'undici'
import { type Clock, systemClock } from '../clock.ts'
import type { Source } from '../source.ts'
import type { Connection } from './client.ts'
import { crossref } from './crossref.ts'
import { europePmc } from './europepmc.ts'
import { createLimiter, type Limits } from './limiter.ts'
import { openAlex } from './openalex.ts'
import { pubmed } from './pubmed.ts'
import { sample } from './sample.ts'

export const LIVE = ['europepmc', 'pubmed', 'openalex', 'crossref'] as const
export type Live = (typeof LIVE)[number]

export interface SourcesOptions {
  dispatcher: Dispatcher
  /** Folder of the limiters' files: who shares it shares the limits. */
  limitsDir: string
  contact?: string | undefined
  keys?: { pubmed?: string | undefined; openalex?: string | undefined } | undefined
  /** Other addresses than the sources' own, e.g. of a mirror. */
  urls?: Partial<Record<Live, string>> | undefined
  deadlineMs?: number | undefined
  requestMs?: number | undefined
  clock?: Clock | undefined
}

const URLS: Record<Live, string> = {
  europepmc: 'https://www.ebi.ac.uk/europepmc/webservices/rest',
  pubmed: 'https://eutils.ncbi.nlm.nih.gov/entrez/eutils',
  openalex: 'https://api.openalex.org',
  crossref: 'https://api.crossref.org',
}

/** Below what each source allows (Europe PMC names nothing; Crossref allows lists once a second to the nameless). */
function limitsOf(source: Live, { keys }: SourcesOptions): Limits {
  if (source === 'pubmed') return { intervalMs: keys?.pubmed ? 100 : 334, lanes: 3 }
  if (source === 'crossref') return { intervalMs: 1000, lanes: 1 }
  return { intervalMs: 200, lanes: source === 'europepmc' ? 4 : 2 }
}

/** Every source by name, ready to be asked. Nothing is sent before that. */
export function openSources(options: SourcesOptions): ReadonlyMap<string, Source> {
  const { dispatcher, limitsDir, contact, keys, urls, clock = systemClock } = options
  const { deadlineMs = 60_000, requestMs = 30_000 } = options
  const connect = (name: Live): Connection => ({
    dispatcher,
    clock,
    baseUrl: (urls?.[name] ?? URLS[name]).replace(/\/+$/, ''),
    limiter: createLimiter(join(limitsDir, name), limitsOf(name, options), clock),
    userAgent: contact ? `Stagecast (mailto:${contact})` : 'Stagecast',
    contact,
    key: name === 'pubmed' || name === 'openalex' ? keys?.[name] : undefined,
    keySetting: name === 'pubmed' || name === 'openalex' ? `LITERATURE_${name.toUpperCase()}_KEY` : undefined,
    forbiddenIsSlow: name === 'openalex',
    deadlineMs,
    requestMs,
  })
  const all: Source[] = [
    sample,
    europePmc(connect('europepmc')),
    pubmed(connect('pubmed')),
    openAlex(connect('openalex')),
    crossref(connect('crossref')),
  ]
  return new Map(all.map((source) => [source.name, source]))
}
