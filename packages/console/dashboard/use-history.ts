/** What happened in the last hours, refreshed while the page is visible. */
import { useEffect, useState } from 'preact/hooks'
import type { History as Answer } from '../../../contract/history.ts'
import { pauseOrOnline } from '../../client/network.ts'
import { getJson } from '../api/api.ts'

export interface History extends Answer {
  hours: number
}

const EVERY_MS = 5000

/** Null until it has loaded. The overview next to it reports failures. */
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
        const read = await getJson<Answer>(`/api/admin/history?hours=${hours}`)
        if (!signal.aborted) onHistory({ hours, ...read })
      }
    } catch {
      // The next one may succeed.
    }
    await pauseOrOnline(EVERY_MS, signal)
  }
}
