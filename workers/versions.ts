/** Which version of a stage its service currently has. */
import type { Service } from '../contract/catalogue.ts'
import { type Listing, readListing } from '../contract/service.ts'
import type { Fetch } from '../outgoing/outgoing.ts'

/** How long an answer is cached, how long a missing answer is cached, and how long a service may take to answer, in ms. */
const FRESH_MS = 5000
const SILENT_MS = 60_000
const ANSWER_MS = 5000

export class Versions {
  private readonly fetch: Fetch
  private readonly latest = new Map<string, { until: number; listing: Promise<Listing | null> }>()

  constructor(fetch: Fetch) {
    this.fetch = fetch
  }

  /** The version that the service states, or null. Never rejects. */
  async of(stage: number, service: Service | undefined): Promise<string | null> {
    if (!service) return null
    const known = this.latest.get(service.url)
    const listing = known && performance.now() < known.until ? known.listing : this.ask(service)
    return (await listing)?.get(stage)?.version || null
  }

  private ask({ url, headers }: Service): Promise<Listing | null> {
    const listing = fetchListing(url, headers, this.fetch)
    const entry = { until: performance.now() + FRESH_MS, listing }
    this.latest.set(url, entry)
    void listing.then((found) => {
      if (!found) entry.until = performance.now() + SILENT_MS
    })
    return listing
  }
}

async function fetchListing(
  url: string,
  headers: Readonly<Record<string, string>>,
  fetch: Fetch,
): Promise<Listing | null> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const answer = await fetch(`${url}/api/workflow/stages`, { headers, signal, redirect: 'error' })
    return answer.ok ? readListing(await answer.json()) : null
  } catch {
    return null
  }
}
