/** Notifies the bar when the number of open sign-offs may have changed. */
import { Store } from './store.ts'

/** How often it may have changed. */
export const waitingChanged = new Store(0)

export function countAgain(): void {
  waitingChanged.set(waitingChanged.value + 1)
}
