/** The caller's jobs, page by page, refreshed while a visible one may still change. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { JobSummary } from '../../../contract/job.ts'
import type { JobFilter } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import type { Filter } from '../state/route.ts'

const FRESH_MS = 4000

export const STATUSES = [
  'queued',
  'active',
  'retrying',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const

interface Pages {
  /** Null until the first page is loaded. */
  jobs: readonly JobSummary[] | null
  /** Where the next page begins; null after the last one. */
  next: string | null
  failure: string
}

/** The request: the page after `after`, '' for the first. A new object repeats it. */
interface Asked {
  filter: Filter
  after: string
}

export function useJobs(filter: Filter) {
  const [pages, setPages] = useState<Pages>({ jobs: null, next: null, failure: '' })
  const [last, setAsked] = useState<Asked>({ filter, after: '' })
  const [busy, setBusy] = useState(true)
  // Another filter begins with its first page.
  const asked = useMemo(() => (last.filter === filter ? last : { filter, after: '' }), [last, filter])
  const refresh = useCallback(() => setAsked({ filter, after: '' }), [filter])

  useEffect(() => {
    const leaving = new AbortController()
    setBusy(true)
    pageWithJobs(asked.filter, asked.after, leaving.signal)
      .then(({ jobs, next }) => {
        if (leaving.signal.aborted) return
        setPages((now) => ({ jobs: asked.after ? [...(now.jobs ?? []), ...jobs] : jobs, next, failure: '' }))
      })
      .catch((error) => {
        if (!leaving.signal.aborted) setPages((now) => ({ ...now, failure: tellFailure(error) }))
      })
      .finally(() => leaving.signal.aborted || setBusy(false))
    return () => leaving.abort()
  }, [asked])

  useEffect(() => {
    // Do not throw a reader of later pages back to the first.
    const changing = asked.after === '' && pages.jobs?.some(({ finished_at }) => finished_at === null)
    if (!changing) return
    const timer = setInterval(() => document.hidden || refresh(), FRESH_MS)
    return () => clearInterval(timer)
  }, [asked, pages, refresh])

  const more = () => busy || setAsked({ filter, after: pages.next ?? '' })
  const drop = ({ job_id }: JobSummary) =>
    setPages((now) => ({ ...now, jobs: now.jobs?.filter((job) => job.job_id !== job_id) ?? null }))
  return { pages, busy, more, refresh, drop }
}

/** A page may be empty without being the last, so load until one has jobs. */
async function pageWithJobs({ stage, status, ...rest }: Filter, after: string, signal: AbortSignal) {
  for (let from = after; ; ) {
    const query = { ...rest, stage: Number(stage) || undefined, status: statusOf(status), after: from }
    const page = await persist(() => stagecast.jobs(query, { signal }), signal)
    if (page.jobs.length > 0 || page.next === null) return page
    from = page.next
  }
}

function statusOf(text: string | undefined): JobFilter['status'] {
  return STATUSES.find((status) => status === text)
}
