/** The catalogue, and which of its stages are available right now. */
import fp from 'fastify-plugin'
import type { Catalogue, Service, Stage } from '../contract/catalogue.ts'
import { type Listing, readListing } from '../contract/service.ts'
import type { Fetch } from '../outgoing/outgoing.ts'

declare module './core.ts' {
  interface Stagecast {
    catalogue: Catalogue & {
      /** The stages as the API lists them. If a service does not answer in time, `available` is null. */
      list(): Promise<Stage[]>
      /** The version of each stage: from its service, else from the catalogue, else ''. */
      versions(): Promise<ReadonlyMap<number, string>>
    }
  }
}

/** How long a service's answer or failure is cached, in ms. */
const FRESH_MS = 10_000
/** How long a service may take to answer, and how long a client waits. */
const ANSWER_MS = 5000
const PATIENCE_MS = 500

export default fp<{ catalogue: Catalogue }>(
  async (app, { catalogue }) => {
    const listings = new Map(
      [...catalogue.services].map(([name, service]) => [
        name,
        listingOf(service, app.stagecast.outgoing.fetch),
      ]),
    )

    app.stagecast.catalogue = {
      ...catalogue,
      async versions() {
        const known = await ask()
        return new Map(
          catalogue.stages.map(({ stage, service, version }) => [
            stage,
            known.get(service)?.get(stage)?.version || version,
          ]),
        )
      },
      async list() {
        const known = await ask()
        return catalogue.stages.map(({ service, version: _, limits: __, inputs: ___, ...stage }) => {
          const listing = known.get(service)
          const note = listing?.get(stage.stage)?.note
          return { ...stage, available: listing ? listing.has(stage.stage) : null, ...(note && { note }) }
        })
      },
    }

    async function ask(): Promise<ReadonlyMap<string, Listing | null | undefined>> {
      const wanted = new Set(catalogue.stages.map(({ service }) => service))
      const answers = [...wanted].map(async (name) => [name, await listings.get(name)?.()] as const)
      return new Map(await Promise.all(answers))
    }
  },
  { name: 'catalogue', dependencies: ['outgoing'] },
)

/** Asks at most once per `FRESH_MS`; until the answer arrives, returns the previous one. */
function listingOf({ url, headers }: Service, fetch: Fetch): () => Promise<Listing | null> {
  let latest: Listing | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let asking = Promise.resolve()
  const ask = async () => {
    const signal = AbortSignal.timeout(ANSWER_MS)
    try {
      const answer = await fetch(`${url}/api/workflow/stages`, { headers, signal, redirect: 'error' })
      latest = answer.ok ? readListing(await answer.json()) : null
    } catch {
      latest = null
    }
  }
  return async () => {
    const now = performance.now()
    if (now - askedAt > FRESH_MS) {
      askedAt = now
      asking = ask()
    }
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS)
    })
    await Promise.race([asking, patience])
    clearTimeout(timer)
    return latest
  }
}
