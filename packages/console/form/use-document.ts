/** The OpenAPI document, fetched once per page. */

import { useEffect } from 'preact/hooks'
import { getJson, tellFailure } from '../api/api.ts'
import { Store, useStore } from '../state/store.ts'
import type { OpenApi } from './schema.ts'

type Loaded = { document: OpenApi | null; failure: string }
const loaded = new Store<Loaded>({ document: null, failure: '' })

export function useDocument(): Loaded & { again: () => void } {
  useEffect(() => {
    if (!loaded.value.document) void load()
  }, [])
  return { ...useStore(loaded), again: () => void load() }
}

async function load(): Promise<void> {
  try {
    loaded.set({ document: await getJson<OpenApi>('/openapi.json'), failure: '' })
  } catch (error) {
    loaded.set({ document: null, failure: tellFailure(error) })
  }
}
