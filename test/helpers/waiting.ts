/** Waits for conditions that no event announces. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Frame, isEvent, type Stream } from './sse.ts'

/** Polls `check` every few ms until it returns something truthy; throws `what` after `withinMs`. */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  withinMs = 120_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await check()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await delay(5)
  }
}

/** The next `count` frames that carry an event. */
export async function take(stream: Stream, count: number): Promise<Frame[]> {
  const frames: Frame[] = []
  const source = stream[Symbol.asyncIterator]()
  while (frames.length < count) {
    const { value, done } = await source.next()
    if (done) break
    if (isEvent(value)) frames.push(value)
  }
  return frames
}

export function idsOf(frames: Frame[]): (string | undefined)[] {
  return frames.map(({ id }) => id)
}
