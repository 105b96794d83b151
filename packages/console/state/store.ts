/** A value that pages can look at: whoever uses it is drawn again when it changes. */
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

  /** Calls `watcher` at each change until the returned function is called. */
  watch(watcher: (value: T) => void): () => void {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value)
  useEffect(() => {
    // It may have changed between the drawing and this effect.
    setValue(() => store.value)
    return store.watch((next) => setValue(() => next))
  }, [store])
  return value
}
