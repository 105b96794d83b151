/** Paths of the API, without its prefix. */
import type { JobReference } from './types.ts'

export function pathOf({ stage, job_id }: JobReference): string {
  return `/api/workflow/stages/${stage}/jobs/${encodeURIComponent(job_id)}`
}

export function pathOfWorkflow(id: string): string {
  return `/api/workflow/workflows/${encodeURIComponent(id)}`
}

/** Builds a query string; '' if no parameter is set. */
export function search(query: Record<string, string | number | undefined>): string {
  const pairs = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') pairs.set(name, String(value))
  return pairs.size > 0 ? `?${pairs}` : ''
}
