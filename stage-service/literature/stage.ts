/** Stage 2, the literature review: the steps in their order. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StageRequest } from '../../stages/service.ts'
import { type Stage, StageFailure, type Work } from '../stage.ts'
import { frame } from './frame.ts'
import { readInputs } from './inputs.ts'
import { rank } from './rank.ts'
import { type Review, review } from './report.ts'
import { type Excluded, screen } from './screen.ts'

export const REVIEW_FILE = 'literature_review.json'

/** Papers repeated in the answer itself; the file has them all. */
const ANSWERED_PAPERS = 5

/** `sources`: the names searched when the request names none. Throws when one of them does not exist. */
export function literatureStage(sources: readonly string[]): Stage {
  readInputs({}, sources)
  return {
    validate(request) {
      questionOf(request)
      readInputs(request.inputs, sources)
    },
    run: (request, work) => run(request, work, sources),
  }
}

/** No message below quotes the question: messages travel into logs. */
async function run(request: StageRequest, work: Work, fallback: readonly string[]) {
  const { signal, dir, progress } = work
  const { inputs, sources } = readInputs(request.inputs, fallback)
  const query = frame(questionOf(request))
  const terms = query.concepts.reduce((sum, concept) => sum + concept.terms.length, 0)
  await progress(10, `question framed: ${query.concepts.length} concepts, ${terms} search terms`)

  const results = await Promise.all(sources.map((source) => source.search(query, signal)))
  const read = results.reduce((sum, result) => sum + result.read, 0)
  await progress(30, `${read} ${sources.map(({ name }) => name).join(' and ')} records read`)

  const identified = results.flatMap((result) => result.papers)
  await progress(45, `${identified.length} match the question`)

  const { kept, excluded: refused } = screen(identified, inputs)
  await progress(60, `${kept.length} pass the screening, ${refused.length} excluded`)

  const ranked = rank(kept, query)
  const included = ranked.slice(0, inputs.max_results)
  const beyond = ranked.slice(included.length).map(({ paper }): Excluded => {
    return { paper, reason: 'beyond_max_results' }
  })
  await progress(75, `${ranked.length} ranked, the best ${included.length} included`)

  const excluded = [...refused, ...beyond]
  const report = review({ query, inputs, sources, read, identified, included, excluded })
  await progress(85, 'review summarised')

  const text = `${JSON.stringify(report, null, 2)}\n`
  await writeFile(join(dir, REVIEW_FILE), text, { flush: true, signal })
  await progress(95, `${REVIEW_FILE} written, ${Math.ceil(Buffer.byteLength(text) / 1024)} KiB`)
  return { artifacts: [REVIEW_FILE], results: inBrief(report) }
}

function inBrief({ source, notice, summary, counts, papers }: Review) {
  const top = papers.slice(0, ANSWERED_PAPERS).map(({ id, title, year, journal, doi, score }) => {
    return { id, title, year, journal, doi, score }
  })
  return { source, notice, summary: summary.text, counts, top_papers: top }
}

function questionOf({ research_question }: StageRequest): string {
  const question = research_question?.trim() ?? ''
  if (question === '') {
    throw new StageFailure(422, 'QUESTION_MISSING', 'Stage 2 needs a research_question with words in it.')
  }
  return question
}
