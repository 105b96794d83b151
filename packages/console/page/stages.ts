/** The stage catalogue, fetched once per page. */
import { useEffect } from 'preact/hooks'
import type { Stage } from '../../../contract/catalogue.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { Store, useStore } from '../state/store.ts'

type Loaded = { stages: Stage[] | null; failure: string }
const loaded = new Store<Loaded>({ stages: null, failure: '' })

export function useStages(): Loaded & { again: () => void } {
  useEffect(() => {
    if (!loaded.value.stages) void load()
  }, [])
  return { ...useStore(loaded), again: () => void load() }
}

export function titleOf(stages: Stage[] | null, number: number): string {
  return stages?.find(({ stage }) => stage === number)?.title ?? `Stage ${number}`
}

async function load(): Promise<void> {
  try {
    loaded.set({ stages: await stagecast.stages(), failure: '' })
  } catch (error) {
    loaded.set({ stages: null, failure: tellFailure(error) })
  }
}
