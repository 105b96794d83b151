/** All clients lose their connection, miss events, and reconnect as an EventSource does, with their last event ID. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Source } from './latency.ts'
import { mark, type Watchers } from './watchers.ts'

/** A source whose clients can lose their connection. */
export interface Breakable extends Source {
  watchers: Watchers
  /** Where a watcher connects. */
  path(watcher: number): string
}

/** Events written while no client is connected. */
const MISSED = 2
/** Far above any number used before. */
const FIRST = 1_000_000
const WITHIN_MS = 10_000

/** How many of the events before, during and after the break the clients receive, in percent. */
export async function receivedOverBreak(source: Breakable): Promise<number> {
  const { watchers } = source
  const count = watchers.all.length
  const seen = Array.from({ length: count }, () => new Set<number>())
  watchers.readsIds = true
  watchers.onMark = (watcher, n) => seen[watcher]?.add(n)
  let written = 0
  const write = async () => {
    written += 1
    const message = mark(FIRST + written)
    for (let watcher = 0; watcher < count; watcher += 1) await source.step(watcher, message)
  }
  const arrived = async () => {
    const n = FIRST + written
    for (let waited = 0; waited < WITHIN_MS && !seen.every((marks) => marks.has(n)); waited += 10)
      await delay(10)
  }
  await write()
  await arrived()
  const lastIds = watchers.all.map(({ lastId }) => lastId)
  watchers.close()
  for (let missed = 0; missed < MISSED; missed += 1) await write()
  await watchers.open(
    count,
    source.path,
    (watcher) => `last-event-id: ${lastIds[watcher]}\r\n`,
    (text) => text.includes('\r\n\r\n'),
  )
  await write()
  await arrived()
  const received = seen.reduce((sum, marks) => sum + marks.size, 0)
  return (100 * received) / (count * written)
}
