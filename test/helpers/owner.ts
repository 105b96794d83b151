/** Closes what was opened for it: a tap test, or a case of the fault suite. */
export interface Owner {
  /** Runs `handler` at the end; the last one first. */
  teardown(handler: () => unknown): unknown
}
