/** What was asked of whom, word for word, and when: enough to ask it again by hand. */
import type { Findings } from '../review.ts'

export function searchLog({ asked, query, searches, notice }: Findings) {
  return {
    kind: 'search_log',
    source: asked.inputs.sources.join(','),
    notice,
    question: query.question,
    inputs: asked.inputs,
    concepts: query.concepts,
    searches: searches.map(({ source, kind, plan, total, records, searched_at, failure }) => ({
      source,
      role: kind,
      request: plan?.request ?? null,
      asked_for: plan?.limit ?? 0,
      hits: total,
      records_read: records.length,
      /** Of the search itself, also when its answer came from the cache. */
      searched_at: searched_at === null ? null : new Date(searched_at).toISOString(),
      failure,
    })),
  }
}
