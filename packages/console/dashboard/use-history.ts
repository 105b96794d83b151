/** What happened in the last hours, refreshed while somebody is looking. */
import { useEffect, useState } from 'preact/hooks'
import { pauseOrOnline } from '../../client/network.ts'
import { getJson } from '../api/api.ts'

/** What is not known is null. */
export interface Point {
  at: number
  waiting: number | null
  active: number | null
  ended: number | null
  failed: number | null
}

export interface History {
  hours: number
  step_ms: number
  /** Oldest first. */
  points: Point[]
}

const EVERY_MS = 5000

/** Null until it is there. The overview beside it tells of failures. */
export function useHistory(hours: number): History | null {
  const [history, setHistory] = useState<History | null>(null)
  useEffect(() => {
    const leaving = new AbortController()
    void follow(hours, leaving.signal, setHistory)
    return () => leaving.abort()
  }, [hours])
  return history
}

async function follow(hours: number, signal: AbortSignal, onHistory: (history: History) => void) {
  while (!signal.aborted) {
    try {
      // Do not refresh a hidden tab.
      if (!document.hidden) {
        const read = await getJson<Omit<History, 'hours'>>(`/api/admin/history?hours=${hours}`)
        if (!signal.aborted) onHistory({ hours, ...read })
      }
    } catch {
      // The next one may succeed.
    }
    await pauseOrOnline(EVERY_MS, signal)
  }
}
