/** Reads what Redis holds of jobs: those asked for in one turn of the event loop with one call. */
import type { Redis } from 'ioredis'
import type { LogEntry } from '../contract/events.ts'
import { batched } from './batch.ts'
import type { JournalKeys } from './journal.ts'
import { JOB_FIELDS, type JobFields } from './snapshot.ts'

/** One job as it was in one moment. */
export interface StoredJob {
  fields: JobFields
  /** The end record as JSON, null while there is none. */
  end: string | null
  /** Oldest first; empty unless it was asked for. */
  log: LogEntry[]
  /** Characters of all that was read of it. */
  size: number
}

export interface JobReader {
  /** Without the log. */
  state(jobId: string): Promise<StoredJob>
  /** With their logs. */
  all(jobIds: readonly string[]): Promise<StoredJob[]>
}

/** Redis works on some while others are still asked for. */
const JOBS_PER_CALL = 16

/**
 * KEYS of each job: hash, end, log; ARGV '1' to read logs, then the fields. Answers lines, which a client reads far
 * faster than nested arrays: of each job its fields and end record, '' for what is not there, the length of its log, and
 * the log. All of it is JSON or numbers, in which a newline can only be white space.
 */
const READ = `
local lines = {}
local function add(text)
  if text and string.find(text, '\\n', 1, true) then text = string.gsub(text, '\\n', ' ') end
  lines[#lines + 1] = text or ''
end
for at = 1, #KEYS, 3 do
  local fields = redis.call('HMGET', KEYS[at], unpack(ARGV, 2))
  for i = 1, #ARGV - 1 do add(fields[i]) end
  add(redis.call('GET', KEYS[at + 1]))
  local log = ARGV[1] == '1' and redis.call('LRANGE', KEYS[at + 2], 0, -1) or {}
  lines[#lines + 1] = #log
  for _, entry in ipairs(log) do add(entry) end
end
return table.concat(lines, '\\n')`

type ReadingRedis = Redis & { stagecastRead(...args: (string | number)[]): Promise<string> }

export function jobReader(connection: Redis, keys: JournalKeys): JobReader {
  const redis = connection as ReadingRedis
  redis.defineCommand('stagecastRead', { lua: READ })

  async function read(jobIds: readonly string[], withLog: boolean): Promise<StoredJob[]> {
    const names = jobIds.flatMap((id) => [keys.job(id), keys.end(id), keys.log(id)])
    const answer = await redis.stagecastRead(names.length, ...names, withLog ? '1' : '', ...JOB_FIELDS)
    return parse(answer.split('\n'), jobIds.length)
  }
  return {
    state: batched(JOBS_PER_CALL, (jobIds: string[]) => read(jobIds, false)),
    all: (jobIds) => read(jobIds, true),
  }
}

function parse(lines: string[], jobs: number): StoredJob[] {
  let at = 0
  let size = 0
  const next = () => {
    const line = lines[at++] ?? ''
    size += line.length
    return line || null
  }
  return Array.from({ length: jobs }, () => {
    size = 0
    const fields = JOB_FIELDS.map(next)
    const end = next()
    const log = Array.from({ length: Number(next()) }, (): LogEntry => JSON.parse(next() ?? ''))
    return { fields, end, log, size }
  })
}
