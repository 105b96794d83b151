/** Ctrl+Enter (on a Mac also ⌘+Enter) starts what a page is for, wherever the focus is. */
import { useEffect, useRef } from 'preact/hooks'

export function useStartKey(start: (event: Event) => void): void {
  const latest = useRef(start)
  latest.current = start
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) latest.current(event)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
