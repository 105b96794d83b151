/** Reading the tally. test/e2e/ledger.slow.test.ts checks that the counts are right. */
import t from 'tap'
import {
  BUCKETS_MS,
  endedByMinute,
  endedLastMinute,
  type Histogram,
  quantile,
  readTally,
} from '../../journal/tally.ts'

function histogram(...durations: number[]): Histogram {
  const counts = new Array<number>(BUCKETS_MS.length + 1).fill(0)
  for (const ms of durations) {
    const bucket = BUCKETS_MS.findIndex((bound) => ms <= bound)
    const i = bucket < 0 ? BUCKETS_MS.length : bucket
    counts[i] = (counts[i] ?? 0) + 1
  }
  return { counts, sumMs: durations.reduce((sum, ms) => sum + ms, 0) }
}

t.test('bucket bounds increase', async (t) => {
  t.same(
    [...BUCKETS_MS].sort((a, b) => a - b),
    BUCKETS_MS,
  )
})

t.test('a quantile is interpolated within its bucket', async (t) => {
  t.equal(quantile(histogram(), 0.5), null, 'without values there is no quantile')
  t.equal(quantile(histogram(2500), 0.5), 2500, 'half way between 2000 and 3000')
  t.equal(quantile(histogram(2500, 2500, 2500, 2500), 0.25), 2250)
  t.equal(quantile(histogram(5, 5, 5, 70_000), 0.5), 7, 'from 0 in the first bucket')
  t.equal(quantile(histogram(5, 5, 5, 70_000), 0.95), 84_000)
  t.equal(quantile(histogram(9_000_000), 0.5), 7_200_000, 'values beyond the last bucket count as its bound')
  t.equal(quantile(histogram(5, 9_000_000), 0), 0)
})

t.test('the last minute', async (t) => {
  const at = 29_000_000 * 60_000
  const tally = readTally({ '2:ended:0': '2900000000000006', '2:ended:3': '2899999900000009' }, 2)
  t.equal(endedLastMinute(tally, at), 15, 'at the start of a minute, the previous one counts fully')
  t.equal(endedLastMinute(tally, at + 20_000), 12)
  t.equal(endedLastMinute(tally, at + 59_999), 6)
  t.equal(endedLastMinute(tally, at + 90_000), 3)
  t.equal(endedLastMinute(tally, at + 120_000), 0, 'two minutes later nothing has happened')
  t.equal(endedLastMinute(readTally({}, 2), at), 0)
})

t.test('the last hour, minute by minute', async (t) => {
  const hash = {
    '2:ended:20': '2900000000000006',
    '2:ended:failed:20': '2900000000000002',
    '3:ended:20': '2900000000000001',
    '3:ended:21': '2899994100000009',
    '3:ended:22': '2899993900000009',
  }
  const now = 29_000_000
  const hour = endedByMinute([readTally(hash, 2), readTally(hash, 3)], now - 59, now)
  t.equal(hour.length, 60)
  t.same(hour.at(-1), { minute: now, ended: 7, failed: 2 }, 'this minute comes last')
  t.same(hour[0], { minute: now - 59, ended: 9, failed: 0 })
  t.equal(
    hour.reduce((sum, { ended }) => sum + ended, 0),
    16,
    'older minutes are left out',
  )
})

t.test('an empty tally is all zeros', async (t) => {
  const tally = readTally({ '3:failed': '7' }, 2)
  t.match(tally, { stage: 2, attempts: 0, completed: 0, failed: 0, cancelled: 0, retried: 0, lost: 0 })
  t.same(tally.duration, histogram())
  t.equal(readTally({ '3:failed': '7' }, 3).failed, 7)
})
