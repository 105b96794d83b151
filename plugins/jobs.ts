/** The list of a user's jobs, newest first, page by page. */
import fp from 'fastify-plugin'
import type { JobSummary } from '../contract/job.ts'
import { type JobMember, parseMember } from '../journal/order.ts'

export interface JobFilter {
  stage?: number | undefined
  status?: JobSummary['status'] | undefined
  workflow_id?: string | undefined
  /** Text in the question, whatever its case, or the beginning of the id of the job or its workflow. */
  search?: string | undefined
}

export interface JobPage {
  jobs: JobSummary[]
  /** Where the next page starts; null at the end of the list. A page before the end may be short or empty. */
  next: string | null
}

declare module './core.ts' {
  interface Stagecast {
    jobs: {
      /** `after`: `next` of the previous page. The number of calls is bounded, even if the filter matches little. */
      page(userId: string | null, filter: JobFilter, limit: number, after?: string): Promise<JobPage>
    }
  }
}

/** List entries scanned for one page. Jobs are read in rounds of one call each. */
const WINDOW = 1000
const READ_ROUNDS = 3
/** Extra jobs to read, because some may have expired or not match status or search. */
const SPARE = 10

export default fp(
  async (app) => {
    const { redis, journal } = app.stagecast

    app.stagecast.jobs = {
      async page(userId, filter, limit, after) {
        const key = userId === null ? journal.keys.everybody : journal.keys.jobs(userId)
        const isSifted = filter.stage !== undefined || filter.workflow_id !== undefined
        const perRound = limit + SPARE
        const window = isSifted ? WINDOW : perRound * READ_ROUNDS
        const listed = await app.stagecast.fromRedis(
          redis.zrevrangebyscore(key, after ? `(${after}` : '+inf', '-inf', 'WITHSCORES', 'LIMIT', 0, window),
        )
        const entries = toEntries(listed)
        const found = entries.filter((entry) => matches(entry, filter))
        const page: JobPage = { jobs: [], next: null }
        const vanished: string[] = []
        for (let round = 0; round < READ_ROUNDS; round += 1) {
          const batch = found.splice(0, perRound)
          if (batch.length === 0) break
          const summaries = await journal.summaries(batch.map(({ jobId }) => jobId))
          for (const [i, entry] of batch.entries()) {
            const summary = summaries[i]
            if (page.jobs.length === limit) {
              found.unshift(...batch.slice(i))
              break
            }
            page.next = entry.score
            if (!summary) vanished.push(entry.member)
            else if (passes(summary, filter)) page.jobs.push(summary)
          }
          if (page.jobs.length === limit) break
        }
        // Nothing in this window matched: the next page starts where the window ends, unless the list ended too.
        if (found.length === 0) page.next = entries.length === window ? (entries.at(-1)?.score ?? null) : null
        if (vanished.length > 0) void redis.zrem(key, ...vanished).catch(() => {})
        return page
      },
    }
  },
  { name: 'jobs', dependencies: ['journal'] },
)

interface Entry extends JobMember {
  member: string
  score: string
}

function toEntries(listed: string[]): Entry[] {
  const entries: Entry[] = []
  for (let i = 0; i < listed.length; i += 2) {
    const member = listed[i] as string
    entries.push({ ...parseMember(member), member, score: listed[i + 1] as string })
  }
  return entries
}

/** Applies the filters that need the job itself. */
function passes(job: JobSummary, { status, search = '' }: JobFilter): boolean {
  if (status && job.status !== status) return false
  const text = search.trim().toLowerCase()
  const { job_id, workflow_id, research_question } = job
  return (
    job_id.startsWith(text) ||
    workflow_id.toLowerCase().startsWith(text) ||
    (research_question ?? '').toLowerCase().includes(text)
  )
}

/** Applies the filters that need only the list entry. */
function matches({ stage, workflowId }: JobMember, filter: JobFilter): boolean {
  if (filter.stage !== undefined && stage !== String(filter.stage)) return false
  return filter.workflow_id === undefined || workflowId === filter.workflow_id.toLowerCase()
}
