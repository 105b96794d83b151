/** Settings of stage 2 from the environment: LITERATURE_* */
import { LITERATURE_SOURCES, type SourceName, sourceFaults } from '../../contract/literature.ts'
import { LIVE, type Live } from './sources/index.ts'

export interface LiteratureSettings {
  /** Used if a request names none. */
  sources: SourceName[]
  /** An e-mail address where the sources can reach the operator. */
  contact?: string | undefined
  keys: { pubmed?: string | undefined; openalex?: string | undefined }
  /** Addresses that replace the sources' own. */
  urls: Partial<Record<Live, string>>
  /** Maximum age of cached answers, in ms. */
  cacheMs: number
  /** How long the search of one source may take, including retries, in ms. */
  deadlineMs: number
  /** Forward proxies on the way to the sources. */
  proxy?: ProxySettings | undefined
}

/** As HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them; '' = none. */
export interface ProxySettings {
  http: string
  https: string
  none: string
}

/** Every variable; undefined if it has no default. */
export const LITERATURE_DEFAULTS = {
  LITERATURE_SOURCES: 'europepmc,crossref',
  LITERATURE_CONTACT: undefined,
  LITERATURE_PUBMED_KEY: undefined,
  LITERATURE_OPENALEX_KEY: undefined,
  LITERATURE_CACHE_MS: '86400000',
  LITERATURE_DEADLINE_MS: '60000',
  LITERATURE_EUROPEPMC_URL: undefined,
  LITERATURE_PUBMED_URL: undefined,
  LITERATURE_OPENALEX_URL: undefined,
  LITERATURE_CROSSREF_URL: undefined,
} as const

/** Sample only: no network requests unless a request names a source. */
export const OFFLINE: LiteratureSettings = {
  sources: ['sample'],
  keys: {},
  urls: {},
  cacheMs: Number(LITERATURE_DEFAULTS.LITERATURE_CACHE_MS),
  deadlineMs: Number(LITERATURE_DEFAULTS.LITERATURE_DEADLINE_MS),
}

const MONTH_MS = 30 * 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000

/** Adds a line to `faults` for each invalid variable. An empty variable counts as unset. */
export function readLiterature(
  env: Record<string, string | undefined>,
  faults: string[],
): LiteratureSettings {
  const value = (name: string) => env[name]?.trim() || undefined
  const named = (value('LITERATURE_SOURCES') ?? LITERATURE_DEFAULTS.LITERATURE_SOURCES)
    .split(',')
    .map((name) => name.trim())
  const sources = LITERATURE_SOURCES.filter((source) => named.includes(source))
  const unknown = named.filter((name) => !LITERATURE_SOURCES.some((known) => known === name))
  if (unknown.length > 0) {
    const there = LITERATURE_SOURCES.join(', ')
    faults.push(
      `LITERATURE_SOURCES must be a comma-separated list of ${there}; it contains ${unknown.join(', ') || 'an empty name'}`,
    )
  } else faults.push(...sourceFaults(sources).map((fault) => `LITERATURE_SOURCES ${fault}`))

  const contact = value('LITERATURE_CONTACT')
  if (contact !== undefined && !/^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(contact)) {
    faults.push('LITERATURE_CONTACT must be an e-mail address, e.g. library@example.org')
  }
  const duration = (name: 'LITERATURE_CACHE_MS' | 'LITERATURE_DEADLINE_MS', least: number, most: number) => {
    const text = value(name) ?? LITERATURE_DEFAULTS[name]
    const fine = /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
    if (!fine) faults.push(`${name} must be a whole number from ${least} to ${most}`)
    return Number(text)
  }
  const key = (name: string) => {
    const text = value(name)
    if (text !== undefined && !/^[\x21-\x7e]{1,200}$/.test(text))
      faults.push(`${name} must be printable ASCII without spaces`)
    return text
  }
  return {
    sources,
    contact,
    keys: { pubmed: key('LITERATURE_PUBMED_KEY'), openalex: key('LITERATURE_OPENALEX_KEY') },
    urls: urlsFrom(value, faults),
    cacheMs: duration('LITERATURE_CACHE_MS', 0, MONTH_MS),
    deadlineMs: duration('LITERATURE_DEADLINE_MS', 100, HOUR_MS),
    proxy: proxyFrom(value, faults),
  }
}

function urlsFrom(
  value: (name: string) => string | undefined,
  faults: string[],
): Partial<Record<Live, string>> {
  const urls: Partial<Record<Live, string>> = {}
  for (const source of LIVE) {
    const name = `LITERATURE_${source.toUpperCase()}_URL`
    const text = value(name)
    if (text === undefined) continue
    if (!/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) {
      faults.push(`${name} must be an http or https address`)
    }
    urls[source] = text
  }
  return urls
}

/** The names that the API and the worker read too, in either case; a scheme may be left out. */
function proxyFrom(value: (name: string) => string | undefined, faults: string[]): ProxySettings | undefined {
  const either = (name: string) => value(name) ?? value(name.toLowerCase()) ?? ''
  const address = (name: string) => {
    const text = either(name)
    if (text === '') return ''
    const url = text.includes('://') ? text : `http://${text}`
    // Never quoted: it may contain a password.
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
      faults.push(`${name} must be the http or https address of a proxy, e.g. http://proxy.example.org:3128`)
    return url
  }
  const proxy = { http: address('HTTP_PROXY'), https: address('HTTPS_PROXY'), none: either('NO_PROXY') }
  return proxy.http || proxy.https ? proxy : undefined
}
