import t from 'tap'
import {
  EVENT_ID_PATTERN,
  eventId,
  FIRST_ID,
  isNext,
  isTerminal,
  statusAfter,
} from '../../contract/events.ts'

t.test('ids are twelve digits, and sorting them as strings gives the order of events', async (t) => {
  const places: Parameters<typeof eventId>[0][] = [
    { attempt: 0, seq: 0 },
    { attempt: 0, seq: 0, behind: 1 },
    { attempt: 0, seq: 0, behind: 9 },
    { attempt: 0, seq: 1 },
    { attempt: 1, seq: 1 },
    { attempt: 1, seq: 2 },
    { attempt: 1, seq: 9 },
    { attempt: 1, seq: 9, behind: 1 },
    { attempt: 1, seq: 10 },
    { attempt: 1, seq: 9_999_999 },
    { attempt: 2, seq: 1 },
    { attempt: 10, seq: 1 },
    { attempt: 9999, seq: 9_999_999, behind: 9 },
  ]
  const ids = places.map(eventId)
  t.same([...ids].sort(), ids)
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.match(id, new RegExp(EVENT_ID_PATTERN))
  t.equal(ids[0], FIRST_ID)
})

t.test('isNext is true only if no event can be in between', async (t) => {
  const line = (attempt: number, seq: number, behind?: 1 | 9) =>
    eventId(behind ? { attempt, seq, behind } : { attempt, seq })
  t.ok(isNext(line(1, 1), line(1, 2)))
  t.ok(isNext(line(1, 9), line(1, 10)), 'across a change of digits')
  t.ok(isNext(line(1, 2, 1), line(1, 3)), 'after a cancel request')
  t.notOk(isNext(line(1, 1), line(1, 3)), 'an entry is missing')
  t.notOk(isNext(line(1, 2), line(1, 2)), 'the same')
  t.notOk(isNext(line(1, 3), line(1, 2)), 'backwards')
  t.notOk(isNext(line(1, 9), line(2, 1)), 'the previous attempt may have had more entries')
})

t.test('a job with progress is active; only the three ends are terminal', async (t) => {
  t.equal(statusAfter('progress'), 'active')
  for (const type of ['queued', 'active', 'retrying', 'cancelling'] as const) {
    t.equal(statusAfter(type), type)
    t.notOk(isTerminal(type))
  }
  for (const type of ['completed', 'failed', 'cancelled']) t.ok(isTerminal(type))
  t.notOk(isTerminal('progress'))
})
