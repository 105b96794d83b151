/** Finds the newest completed results of a workflow's stages. Later stages get them as input. */
import type { Redis } from 'ioredis'
import type { JobSnapshot } from '../contract/job.ts'
import type { JournalKeys } from './journal.ts'
import { type JobOrigin, jobMember, parsePlace } from './order.ts'

/**
 * Results by stage; stages without a completed job are absent. The workflow's order lists its jobs and the user's job list
 * their stages, so only the wanted results, which may be large, are read. With a `job_id`, that job itself is left out,
 * because the results are its input.
 */
export async function newestResults(
  redis: Redis,
  keys: JournalKeys,
  { user_id, workflow_id, job_id: own }: Pick<JobOrigin, 'user_id' | 'workflow_id'> & Partial<JobOrigin>,
  stages: readonly number[],
): Promise<Map<number, JobSnapshot>> {
  const found = new Map<number, JobSnapshot>()
  if (stages.length === 0) return found
  const places = await redis.lrange(keys.order(user_id, workflow_id), 0, -1)
  const jobIds = [...new Set(places.map((line) => parsePlace(line).jobId))].filter((id) => id !== own)
  if (jobIds.length === 0) return found
  for (const stage of stages) {
    const members = jobIds.map((job_id) => jobMember({ job_id, stage, workflow_id }))
    const scores = await redis.zmscore(keys.jobs(user_id), ...members)
    const newestFirst = jobIds
      .map((jobId, i) => ({ jobId, score: Number(scores[i] ?? -1) }))
      .filter(({ score }) => score >= 0)
      .sort((a, b) => b.score - a.score)
    for (const { jobId } of newestFirst) {
      const end = await redis.get(keys.end(jobId))
      const snapshot: JobSnapshot | null = end ? JSON.parse(end) : null
      if (snapshot?.status !== 'completed') continue
      found.set(stage, snapshot)
      break
    }
  }
  return found
}
