/** The input of a step: its run's results of earlier stages. */
import type { Redis } from 'ioredis'
import type { JobSnapshot } from '../contract/job.ts'
import type { JournalKeys } from '../journal/journal.ts'
import { RunStore } from './store.ts'

export async function upstreamOfRun(
  redis: Redis,
  keys: JournalKeys,
  runId: string,
  stage: number,
): Promise<Map<number, JobSnapshot>> {
  const found = new Map<number, JobSnapshot>()
  const stored = await new RunStore(redis, keys, 0).run(runId)
  if (!stored) return found
  const { steps, given } = stored.document
  const wanted = steps.find((step) => step.stage === stage)?.upstream ?? []
  const jobs = [...given, ...steps].flatMap(({ stage: number, job_id }) =>
    wanted.includes(number) && job_id !== null ? [{ number, job_id }] : [],
  )
  if (jobs.length === 0) return found
  const ends = await redis.mget(...jobs.map(({ job_id }) => keys.end(job_id)))
  for (const [i, { number }] of jobs.entries()) {
    const end = ends[i]
    if (end) found.set(number, JSON.parse(end))
  }
  return found
}
