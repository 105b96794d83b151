import { Value } from '@sinclair/typebox/value'
import t, { type Test } from 'tap'
import { eventId, type LogEntry } from '../../contract/events.ts'
import { JobSnapshot } from '../../contract/job.ts'
import { JobEvent } from '../../contract/job-event.ts'
import {
  JOB_FIELDS,
  type Journal,
  parseJournal,
  toEndRecord,
  toEvents,
  toSnapshot,
} from '../../journal/snapshot.ts'

const data = {
  stage: 2,
  job_id: '550e8400-e29b-41d4-a716-446655440000',
  workflow_id: '123e4567-e89b-12d3-a456-426614174000',
  research_question: 'Does sleep change memory?',
  user_id: 'alice',
  timestamp: 1000,
  inputs: {},
}
const waiting: Journal = {
  data,
  maxAttempts: 3,
  createdAt: 1000,
  processedAt: null,
  last: null,
  cancel: null,
  abandonedAt: null,
}
const line = (attempt: number, seq: number, fields: Partial<LogEntry> = {}): LogEntry => ({
  type: 'progress',
  attempt,
  max: 3,
  seq,
  progress: 20,
  message: 'at work',
  at: 2000 + seq,
  ...fields,
})
const error = { code: 'BAD_GATEWAY', message: 'no', retryable: true, attempt: 1 }

/** The hash as Redis gives it, in the order of `JOB_FIELDS`. */
const hash = (fields: Partial<Record<(typeof JOB_FIELDS)[number], string>>) =>
  JOB_FIELDS.map((name) => fields[name] ?? null)
const stored = { data: JSON.stringify(data), opts: '{"attempts":3}', timestamp: '1000' }

function sound(t: Test, snapshot: JobSnapshot, events: JobEvent[]) {
  t.same([...Value.Errors(JobSnapshot, JSON.parse(JSON.stringify(snapshot)))], [])
  for (const event of events) t.same([...Value.Errors(JobEvent, JSON.parse(JSON.stringify(event)))], [])
  const ids = events.map(({ id }) => id)
  t.same([...new Set(ids)].sort(), ids, 'ids increase')
  t.equal(ids.at(-1), snapshot.cursor, 'the cursor is the newest event')
  t.equal(events.at(-1)?.data.status, snapshot.status)
}

t.test('parsing the stored fields of a job', async (t) => {
  t.same(parseJournal(hash(stored)), waiting)
  t.equal(parseJournal(hash({})), null, 'no such job')
  t.equal(parseJournal(hash({ last: '0', cancel: '{}' })), null, 'a hash without job data')
  t.equal(parseJournal(hash({ data: stored.data, timestamp: '1000' }))?.maxAttempts, 1)
  const ended = JSON.stringify(line(1, 9, { type: 'completed' }))
  t.equal(parseJournal(hash({ ...stored, last: ended })), null, 'its result has expired')
  const cancel = { after: '000100000030', at: 5 }
  t.match(
    parseJournal(
      hash({
        ...stored,
        processedOn: '1500',
        finishedOn: '9000',
        last: JSON.stringify(line(1, 3)),
        cancel: JSON.stringify(cancel),
      }),
    ),
    { processedAt: 1500, abandonedAt: 9000, last: line(1, 3), cancel },
  )
})

t.test('queued', async (t) => {
  const snapshot = toSnapshot(waiting)
  t.match(snapshot, {
    status: 'queued',
    progress: 0,
    attempt: 0,
    max_attempts: 3,
    cursor: '000000000000',
    result: null,
    error: null,
    processed_at: null,
    finished_at: null,
    created_at: 1000,
  })
  t.notOk('timestamp' in snapshot.data)
  const events = toEvents(waiting, [], snapshot)
  t.same(
    events.map(({ id, event, data }) => [id, event, data.at]),
    [['000000000000', 'queued', 1000]],
  )
  sound(t, snapshot, events)
})

t.test('active', async (t) => {
  const log = [line(1, 1, { type: 'active', progress: 0 }), line(1, 2, { progress: 10 })]
  const journal = { ...waiting, processedAt: 1999, last: log[1] as LogEntry }
  const snapshot = toSnapshot(journal)
  t.match(snapshot, { status: 'active', progress: 10, attempt: 1, processed_at: 1999, error: null })
  const early = toSnapshot({ ...journal, processedAt: 999 })
  t.equal(
    early.processed_at,
    1000,
    'the worker read its clock before the job was added, or its clock is slow',
  )
  const events = toEvents(journal, log, snapshot)
  t.same(
    events.map(({ event }) => event),
    ['queued', 'active', 'progress'],
  )
  sound(t, snapshot, events)
})

t.test('a retrying job has the error', async (t) => {
  const last = line(1, 4, { type: 'retrying', error })
  const journal = { ...waiting, last }
  const snapshot = toSnapshot(journal)
  t.match(snapshot, { status: 'retrying', error, result: null, finished_at: null })
  const events = toEvents(journal, [line(1, 1), line(1, 2), line(1, 3), last], snapshot)
  t.match(events.at(-1), { event: 'retrying', data: { error } })
  sound(t, snapshot, events)
})

t.test('an attempt that a shutdown interrupted raises max_attempts', async (t) => {
  t.equal(toSnapshot({ ...waiting, last: line(1, 4, { type: 'retrying', max: 4 }) }).max_attempts, 4)
})

t.test('cancelling comes after the newest entry and has no old error', async (t) => {
  const cancel = { after: '000100000020', at: 7777 }
  const running = { ...waiting, last: line(1, 2), cancel }
  const snapshot = toSnapshot(running)
  t.match(snapshot, { status: 'cancelling', cursor: '000100000021', progress: 20, error: null })
  const events = toEvents(running, [line(1, 1), line(1, 2)], snapshot)
  t.match(events.at(-1), { id: '000100000021', event: 'cancelling', data: { at: 7777 } })
  sound(t, snapshot, events)

  const asked = { ...waiting, cancel: { after: '' as const, at: 7777 } }
  t.match(toSnapshot(asked), { status: 'cancelling', cursor: '000000000001', attempt: 0 })
  sound(t, toSnapshot(asked), toEvents(asked, [], toSnapshot(asked)))

  const between = { ...waiting, last: line(1, 4, { type: 'retrying', error }), cancel }
  t.equal(toSnapshot(between).error, null)
})

t.test('a job that an operator ended in the queue', async (t) => {
  for (const cancel of [null, { after: '000100000020' as const, at: 8000 }]) {
    const journal = { ...waiting, last: line(1, 2), cancel, abandonedAt: 9000 }
    const snapshot = toSnapshot(journal)
    t.match(snapshot, { status: 'failed', cursor: '000100000029', finished_at: 9000 })
    t.match(snapshot.error, { code: 'JOB_ABANDONED', retryable: false, attempt: 1 })
    const events = toEvents(journal, [line(1, 1), line(1, 2)], snapshot)
    t.equal(events.at(-2)?.event, cancel ? 'cancelling' : 'progress')
    sound(t, snapshot, events)
  }
})

t.test('the outcome', async (t) => {
  const log = [line(1, 1, { type: 'active' }), line(1, 2), line(1, 3, { type: 'completed', progress: 100 })]
  const entry = log[2] as LogEntry
  const result = { success: true as const, artifacts: ['a.json'], duration_ms: 5 }
  const journal = { ...waiting, last: line(1, 2), cancel: { after: '' as const, at: 1 } }
  const end = toEndRecord(journal, entry, result)
  t.match(end, { status: 'completed', progress: 100, result, error: null, finished_at: entry.at })
  t.equal(end.cursor, eventId(entry))
  const events = toEvents(null, log, end)
  t.match(events.at(-1), { event: 'completed', data: { result } })
  t.notOk('result' in (events.at(-2)?.data ?? {}), 'only the terminal event has the result')
  sound(t, end, events)

  const failed = toEndRecord(journal, line(1, 3, { type: 'failed', error }))
  t.match(failed, { status: 'failed', result: null, error })
})

t.test('the events of a log that has dropped its start do not begin with queued', async (t) => {
  const log = [line(1, 600), line(1, 601)]
  const journal = { ...waiting, last: log[1] as LogEntry }
  const events = toEvents(journal, log, toSnapshot(journal))
  t.same(
    events.map(({ id }) => id),
    log.map(eventId),
  )
  const later = [line(2, 1, { type: 'active' })]
  t.equal(
    toEvents({ ...waiting, last: later[0] as LogEntry }, later, toSnapshot(waiting))[0]?.event,
    'active',
    'the events before the second attempt are missing',
  )
  const cancelled = [line(0, 0, { type: 'cancelling', behind: 1 }), line(0, 1, { type: 'cancelled' })]
  t.equal(toEvents(null, cancelled, toSnapshot(waiting))[0]?.event, 'queued')
})
