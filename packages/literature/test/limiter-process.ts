/** A separate process with a frozen clock that takes `count` slots from the folder and prints them. */
import { createLimiter } from '../sources/limiter.ts'

const [, , dir = '', count = '0'] = process.argv
const START = Date.parse('2026-01-01T00:00:00Z')
const taken: number[] = []
for (let n = 0; n < Number(count); n++) {
  let now = START
  const clock = {
    now: () => now,
    random: () => 1,
    sleep: async (ms: number) => {
      now += ms
    },
  }
  const release = await createLimiter(dir, { intervalMs: 200, lanes: 100 }, clock).enter(
    START + 86_400_000,
    new AbortController().signal,
  )
  taken.push(now)
  await release()
}
process.stdout.write(JSON.stringify(taken))
