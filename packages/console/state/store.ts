/** An observable value: components that use it are redrawn when it changes. */
import { useEffect, useState } from 'preact/hooks'

export class Store<T> {
  private current: T
  private readonly watchers = new Set<(value: T) => void>()

  constructor(initial: T) {
    this.current = initial
  }

  get value(): T {
    return this.current
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return
    this.current = value
    for (const watcher of [...this.watchers]) watcher(value)
  }

  /** Calls `watcher` at each change. Returns a function that unsubscribes. */
  watch(watcher: (value: T) => void): () => void {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value)
  useEffect(() => {
    // The value may have changed between the rendering and this effect.
    setValue(() => store.value)
    return store.watch((next) => setValue(() => next))
  }, [store])
  return value
}
