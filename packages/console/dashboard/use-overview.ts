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
  /** By minute, oldest first. */
  last_hour: { at: number; ended: number; failed: number }[]
}

/** What the queue looked like at a time; null marks a time without a sample. */
export interface Sample {
  at: number
  waiting: number | null
  active: number | null
}

const EVERY_MS = 2000
/** An hour. */
const MOST_SAMPLES = 1800

/** Kept while the console is open, also when another page is shown. */
let samples: readonly Sample[] = []

export function useOverview() {
  const [overview, setOverview] = useState<Overview | null>(null)
  const [failure, setFailure] = useState('')
  useEffect(() => {
    const leaving = new AbortController()
    const onOverview = (next: Overview) => {
      samples = withSample(samples, next)
      setOverview(next)
    }
    void look(leaving.signal, onOverview, setFailure)
    return () => leaving.abort()
  }, [])
  const setPaused = (paused: string[]) => setOverview((now) => now && { ...now, paused })
  return { overview, samples, failure, setPaused }
}

function withSample(known: readonly Sample[], { at, queue }: Overview): readonly Sample[] {
  const { waiting, active } = queue
  const last = known.at(-1)
  const gap = last && at - last.at > 5 * EVERY_MS ? [{ at: last.at + 1, waiting: null, active: null }] : []
  return [...known, ...gap, { at, waiting, active }].slice(-MOST_SAMPLES)
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
