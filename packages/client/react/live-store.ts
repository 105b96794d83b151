/**
 * A view that is kept up to date while somebody looks at it: what `useSyncExternalStore` subscribes to. Nothing runs
 * before the first subscriber: a render that React throws away has asked for nothing.
 */

import type { Change } from '../job-view.ts'

/** Beside what is followed. */
export interface Following {
  /** Nothing more will come: it is over, or following failed. */
  isOver: boolean
  /** Why it cannot be followed any more; `retry` tries again. */
  failure: Error | null
}

/** Changes `view` until it is over; throws what ends it otherwise. */
export type Follow<View> = (view: View, signal: AbortSignal, change: Change<View>) => Promise<void>

export class LiveStore<View> {
  private view: View & Following
  private readonly follow: Follow<View> | null
  private readonly listeners = new Set<() => void>()
  private following: AbortController | null = null

  /** `follow` is null where there is nothing to follow yet. */
  constructor(view: View, follow: Follow<View> | null) {
    this.view = { ...view, isOver: false, failure: null }
    this.follow = follow
  }

  readonly snapshot = (): View & Following => this.view

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    if (!this.following && !this.view.isOver) this.start()
    return () => {
      this.listeners.delete(listener)
      // StrictMode, and moves in the tree, subscribe again at once: the connection stays for that long.
      setTimeout(() => {
        if (this.listeners.size > 0) return
        this.following?.abort()
        this.following = null
      })
    }
  }

  /** After a failure. */
  readonly retry = (): void => {
    if (!this.view.failure) return
    this.set({ ...this.view, isOver: false, failure: null })
    if (this.listeners.size > 0) this.start()
  }

  private start(): void {
    if (!this.follow) return
    this.following = new AbortController()
    const { signal } = this.following
    const change: Change<View> = (next) => {
      if (!signal.aborted) this.set({ ...this.view, ...next(this.view) })
    }
    const end = (failure: Error | null) => {
      if (signal.aborted) return
      this.following = null
      this.set({ ...this.view, isOver: true, failure })
    }
    this.follow(this.view, signal, change).then(
      () => end(null),
      (error) => end(error instanceof Error ? error : new Error(String(error))),
    )
  }

  private set(view: View & Following): void {
    this.view = view
    for (const listener of this.listeners) listener()
  }
}
