/** Something whose end closes what was opened for it: a tap test, or a case of the fault suite. */
export interface Owner {
  /** Runs `handler` at the end; handlers run in reverse order. */
  teardown(handler: () => unknown): unknown
}
