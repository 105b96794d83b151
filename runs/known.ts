/** The results of a workflow: those of its runs, and those of jobs that were executed separately. */
import type { Redis } from 'ioredis'
import type { JobSnapshot } from '../contract/job.ts'
import type { JournalKeys } from '../journal/journal.ts'
import { newestResults } from '../journal/upstream.ts'
import { contentOf, type KnownResult } from './result.ts'
import type { Memory, RunOrigin } from './store.ts'

/** Reads the results of `stages`, without expired ones. */
export async function knownResults(
  redis: Redis,
  keys: JournalKeys,
  origin: Omit<RunOrigin, 'run_id'>,
  { results }: Memory,
  stages: readonly number[],
): Promise<KnownResult[]> {
  const [singles, exist] = await Promise.all([
    newestResults(redis, keys, origin, stages),
    Promise.all(results.map(({ job_id }) => redis.exists(keys.end(job_id)))),
  ])
  const kept = results.filter((_, i) => exist[i] === 1)
  const contents = new Map(kept.map(({ job_id, content }) => [job_id, content]))
  const fresh = [...singles.values()].filter(({ job_id }) => !contents.has(job_id))
  await addContents(redis, keys, fresh, contents)
  return [...kept, ...fresh.flatMap((job) => toKnown(job, contents))]
}

/** Adds the contents of the jobs' results and of the results they used. */
async function addContents(
  redis: Redis,
  keys: JournalKeys,
  jobs: readonly JobSnapshot[],
  contents: Map<string, string>,
): Promise<void> {
  const learn = ({ job_id, result }: JobSnapshot) => result && contents.set(job_id, contentOf(result, job_id))
  for (const job of jobs) learn(job)
  const given = jobs.flatMap(({ result }) => Object.values(result?.upstream ?? {}))
  const missing = [...new Set(given)].filter((id) => !contents.has(id))
  if (missing.length === 0) return
  for (const end of await redis.mget(...missing.map((id) => keys.end(id)))) if (end) learn(JSON.parse(end))
}

function toKnown(
  { job_id, stage, data, result, finished_at }: JobSnapshot,
  contents: ReadonlyMap<string, string>,
): KnownResult[] {
  if (!result) return []
  const upstream = Object.entries(result.upstream ?? {}).map(([from, id]) => [from, contents.get(id)])
  return [
    {
      stage,
      job_id,
      version: result.version ?? '',
      inputs: data.inputs,
      research_question: data.research_question,
      upstream: upstream.every(([, content]) => content !== undefined) ? Object.fromEntries(upstream) : null,
      content: contents.get(job_id) ?? '',
      finished_at: finished_at ?? 0,
      since: null,
      decision: null,
    },
  ]
}
