/** Combines calls that are made in the same turn of the event loop. */

/**
 * Collects items until the turn of the event loop ends, then passes them to `perform`, at most `most` at a time. `perform`
 * returns a result or an `Error` for each item. If it throws, all items fail.
 */
export function batched<T, R>(
  most: number,
  perform: (items: T[]) => Promise<readonly (R | Error)[]>,
): (item: T) => Promise<R> {
  let waiting: Waiting<T, R>[] = []

  function flush(): void {
    const some = waiting
    waiting = []
    if (some.length > 0) void settle(some)
  }

  async function settle(some: Waiting<T, R>[]): Promise<void> {
    try {
      const answers = await perform(some.map(({ item }) => item))
      for (const [i, { resolve, reject }] of some.entries()) {
        const answer = answers[i] as R | Error
        if (answer instanceof Error) reject(answer)
        else resolve(answer)
      }
    } catch (error) {
      for (const { reject } of some) reject(error)
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (waiting.length === most) flush()
      else if (waiting.length === 1) setImmediate(flush)
    })
}

interface Waiting<T, R> {
  item: T
  resolve(answer: R): void
  reject(error: unknown): void
}
