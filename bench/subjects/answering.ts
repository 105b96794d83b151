/** The child's side of `Child`: says that it is ready, then answers questions. Ends with its parent. */
type Answers = Record<string, (data: never) => unknown>

export function answering(ready: Record<string, unknown>, answers: Answers = {}): void {
  const all: Answers = { usage, ...answers }
  process.on('message', async ({ id, question, data }: { id: number; question: string; data: never }) => {
    const answer = await Promise.resolve()
      .then(() => all[question]?.(data))
      .catch((error: Error) => ({ error: error.stack }))
    process.send?.({ id, answer })
  })
  process.on('disconnect', () => process.exit())
  process.send?.(ready)
}

function usage() {
  // Collect twice: the second pass frees what the first one finalises.
  for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpu: user + system, rss, heap: heapUsed }
}
