/** Components that show the same job or workflow share one live store, and so one connection. */
import type { Stagecast } from '../stagecast.ts'
import type { Following, LiveStore } from './live-store.ts'

/** What each client follows, by name. Empty when there are no subscribers. */
const followed = new WeakMap<Stagecast, Map<string, LiveStore<object>>>()

/** A component's access to a store: its own, unless another component has subscribed to the same one already. */
export class Reader<View extends object> {
  private readonly name: string
  private readonly stores: Map<string, LiveStore<object>>
  private store: LiveStore<View>

  /** Each name identifies one kind of view of one job or workflow. */
  constructor(client: Stagecast, name: string, store: LiveStore<View>) {
    const stores = followed.get(client) ?? new Map()
    followed.set(client, stores)
    this.name = name
    this.stores = stores
    this.store = this.known() ?? store
  }

  readonly snapshot = (): View & Following => this.store.snapshot()

  readonly subscribe = (listener: () => void): (() => void) => {
    // Register the store only now: React may throw a render away, which must leave nothing behind.
    const { stores, name } = this
    const store = this.known() ?? this.store
    this.store = store
    stores.set(name, store as unknown as LiveStore<object>)
    return store.subscribe(listener, () => {
      if (this.known() === store) stores.delete(name)
    })
  }

  readonly retry = (): void => this.store.retry()

  private known(): LiveStore<View> | undefined {
    return this.stores.get(this.name) as LiveStore<View> | undefined
  }
}
