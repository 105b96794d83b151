/** Every query, word for word, with its source and time: enough to repeat the search by hand. */
import { lostWords } from '../lost-words.ts'
import { type Findings, inputsTold } from '../review.ts'
import { prismaS } from './prisma-s.ts'

export function searchLog(findings: Findings) {
  const { asked, query, searches, notice } = findings
  return {
    kind: 'search_log',
    source: asked.inputs.sources.join(','),
    notice,
    question: query.question,
    inputs: inputsTold(asked),
    imports: findings.imports,
    concepts: query.concepts,
    left_out: query.left_out,
    searches: searches.map(({ source, kind, plan, climb, total, records, searched_at, failure }) => ({
      source,
      role: kind,
      request: plan?.request ?? null,
      asked_for: plan?.limit ?? 0,
      /** From strict to broad, in the order sent; the last step with this name sent the request above. */
      step: climb?.chosen?.step ?? null,
      steps: (climb?.steps ?? []).map(({ step, says, plan: { request }, hits, remarks }) => ({
        step,
        says,
        request,
        hits,
        remarks,
      })),
      steps_stopped: climb?.stopped ?? null,
      terms: climb?.lines ?? [],
      not_in_query: lostWords(query, climb),
      hits: total,
      records_read: records.length,
      /** Time of the search itself, even if the answer came from the cache. */
      searched_at: searched_at === null ? null : new Date(searched_at).toISOString(),
      failure,
    })),
    prisma_s: prismaS(findings),
  }
}
