/** The overview, refreshed while somebody is looking. */
import { useEffect, useState } from 'preact/hooks'
import { StagecastError } from '../../client/index.ts'
import { pauseOrOnline } from '../../client/network.ts'
import { getJson, tellFailure } from '../api/api.ts'

interface Percentiles {
  p50: number
  p95: number
}

export interface StageFigures {
  stage: number
  slug: string
  completed: number
  failed: number
  cancelled: number
  retried: number
  success_rate: number | null
  per_minute: number
  duration_ms: Percentiles | null
  waiting_ms: Percentiles | null
}

export interface Worker {
  id: string
  concurrency: number
  running: number
  circuits: { stage: number; state: string }[]
  catalogue: string | null
  seen_at: number
}

export interface Overview {
  at: number
  queue: { waiting: number; delayed: number; active: number; oldest_waiting_at: number | null }
  /** The names of the paused queues. */
  paused: string[]
  workers: Worker[]
  catalogue: string
  waiting_because: string | null
  stages: StageFigures[]
}

const EVERY_MS = 2000

export function useOverview() {
  const [overview, setOverview] = useState<Overview | null>(null)
  const [failure, setFailure] = useState('')
  useEffect(() => {
    const leaving = new AbortController()
    void look(leaving.signal, setOverview, setFailure)
    return () => leaving.abort()
  }, [])
  const setPaused = (paused: string[]) => setOverview((now) => now && { ...now, paused })
  return { overview, failure, setPaused }
}

async function look(
  signal: AbortSignal,
  onOverview: (overview: Overview) => void,
  onFailure: (text: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      // Do not refresh a hidden tab.
      if (!document.hidden) {
        const overview = await getJson<Overview>('/api/admin/overview')
        if (signal.aborted) return
        onOverview(overview)
        onFailure('')
      }
    } catch (error) {
      if (signal.aborted) return
      onFailure(tellFailure(error))
      if (error instanceof StagecastError && error.status < 500 && error.status !== 429) return
    }
    await pauseOrOnline(EVERY_MS, signal)
  }
}
