/** The review in a few sentences, made from counts alone: it reports what was found, not what is true. */
import { countBy, type Findings } from './findings.ts'
import { hits } from './match.ts'
import { studyType } from './study-type.ts'

export function summarise({ query, sources, identified, included }: Findings) {
  const papers = included.map(({ paper }) => paper)
  const kind = sources.map(({ name }) => name).join(' and ')
  const study_types = countBy(papers.map((paper) => studyType(paper).type))
  const terms = countBy(papers.flatMap((paper) => [...new Set(hits(query, paper).flatMap(termsOf))]))
  const frequent_terms = Object.entries(terms)
    .slice(0, 8)
    .map(([term, count]) => ({ term, papers: count }))
  const years = papers.map(({ year }) => year)
  const without = papers.filter(({ abstract }) => abstract === null).length
  const sentences =
    papers.length === 0
      ? [nothing(query.concepts.length, identified.length, kind)]
      : [
          `${papers.length} of ${identified.length} matching ${kind} records are included, published ` +
            `${Math.min(...years)} to ${Math.max(...years)}.`,
          `By kind of study: ${listed(study_types)}.`,
          `The terms found most often: ${frequent_terms.map(({ term, papers: n }) => `${term} (${n})`).join(', ')}.`,
          `The best match is "${papers[0]?.title ?? ''}" (${papers[0]?.year ?? ''}).`,
        ]
  if (without > 0)
    sentences.push(`${without} of the included records have no abstract and were judged by title.`)
  sentences.push(...sources.flatMap(({ notice }) => notice ?? []))
  return {
    text: sentences.join(' '),
    study_types,
    frequent_terms,
    limitations: ['Titles and abstracts only; no full text was read.', `Searched: ${kind}; nothing else.`],
  }
}

function nothing(concepts: number, identified: number, kind: string): string {
  if (concepts === 0) return 'The question holds no word that can be searched for; no record was looked for.'
  if (identified === 0) return `No ${kind} record matches the question.`
  return `None of the ${identified} matching ${kind} records passes the options of the request.`
}

function listed(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name.replaceAll('_', ' ')} (${count})`)
    .join(', ')
}

function termsOf({ title, abstract }: { title: string[]; abstract: string[] }): string[] {
  return [...title, ...abstract]
}
