/** The live sources, with their URLs and rate limits. */
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
  /** Folder of the limiters' files. Processes that share it share the limits. */
  limitsDir: string
  contact?: string | undefined
  keys?: { pubmed?: string | undefined; openalex?: string | undefined } | undefined
  /** URLs that replace the sources' own, such as a mirror. */
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

/** Stays below each source's limits. Europe PMC states none; Crossref allows anonymous users one list per second. */
function limitsOf(source: Live, { keys }: SourcesOptions): Limits {
  if (source === 'pubmed') return { intervalMs: keys?.pubmed ? 100 : 334, lanes: 3 }
  if (source === 'crossref') return { intervalMs: 1000, lanes: 1 }
  return { intervalMs: 200, lanes: source === 'europepmc' ? 4 : 2 }
}

/** Every source by name. Opening sends no requests. */
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
