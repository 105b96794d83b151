/**
 * A view that stays up to date while it has subscribers; `useSyncExternalStore` subscribes to it. It starts with the first
 * subscriber, so a render that React throws away sends no request.
 */

import type { Change } from '../job-view.ts'

/** Whether the view is still being updated. */
export interface Following {
  /** Whether no more updates will come, because the job has ended or watching failed. */
  isOver: boolean
  /** Why watching failed; `retry` tries again. */
  failure: Error | null
}

/** Keeps `view` up to date until nothing more can change; throws if it must stop earlier. */
export type Follow<View> = (view: View, signal: AbortSignal, change: Change<View>) => Promise<void>

export class LiveStore<View> {
  private view: View & Following
  private readonly follow: Follow<View> | null
  private readonly listeners = new Set<() => void>()
  private following: AbortController | null = null

  /** `follow` is null if there is nothing to follow yet. */
  constructor(view: View, follow: Follow<View> | null) {
    this.view = { ...view, isOver: false, failure: null }
    this.follow = follow
  }

  readonly snapshot = (): View & Following => this.view

  /** Calls `onLeft` when the last subscriber leaves. */
  readonly subscribe = (listener: () => void, onLeft = () => {}): (() => void) => {
    this.listeners.add(listener)
    if (!this.following && !this.view.isOver) this.start()
    return () => {
      this.listeners.delete(listener)
      // StrictMode and moves in the tree resubscribe at once, so keep the connection that long.
      setTimeout(() => {
        if (this.listeners.size > 0) return
        this.following?.abort()
        this.following = null
        onLeft()
      })
    }
  }

  /** Tries again after a failure. */
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
