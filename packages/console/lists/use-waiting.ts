/** How many results wait for the user's sign-off, for the top bar; looked at now and then, and whenever the page changes or sees a change. */
import { useEffect, useState } from 'preact/hooks'
import { stagecast } from '../api/api.ts'
import { route } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { waitingChanged } from '../state/waiting.ts'

const FRESH_MS = 15_000
const MOST = 100

export function useWaiting(inside: boolean): string {
  const at = useStore(route)
  const changed = useStore(waitingChanged)
  const [count, setCount] = useState('')
  useEffect(() => {
    if (!inside) return setCount('')
    const leaving = new AbortController()
    const { signal } = leaving
    const read = () =>
      stagecast.runs.signOffs({ limit: MOST, signal }).then(
        ({ sign_offs: { length }, next }) =>
          signal.aborted || setCount(length === 0 ? '' : `${length}${next ? '+' : ''}`),
        // The bar does without it.
        () => {},
      )
    void read()
    const timer = setInterval(() => document.hidden || void read(), FRESH_MS)
    return () => {
      clearInterval(timer)
      leaving.abort()
    }
  }, [inside, at, changed])
  return count
}
