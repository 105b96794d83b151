/** The stages around the review: what comes before its search, and what is made of it. All are pure: no clock, no network. */
import { BUILT_IN } from '../../contract/built-in.ts'
import type { ProtocolInputs, SourceName } from '../../contract/literature.ts'
import { StageFailure, type StageTable } from '../stage-kit/stage.ts'
import { Stages } from '../stage-kit/stages.ts'
import { plural } from './count.ts'
import { evidenceMapOf, summaryOf } from './evidence-map/evidence-map.ts'
import { gapsMarkdown } from './evidence-map/gaps-md.ts'
import { mapCsv } from './evidence-map/map-csv.ts'
import { mapSvg } from './evidence-map/map-svg.ts'
import { readRequest } from './inputs.ts'
import { protocolOf } from './protocol/protocol.ts'
import { protocolMarkdown } from './protocol/protocol-md.ts'
import { queryOf } from './protocol/take-over.ts'
import type { LiteratureReview } from './schema.ts'
import type { Searching, Source } from './source.ts'
import { readJson } from './upstream-file.ts'

export interface AroundOptions {
  sources: ReadonlyMap<string, Source>
  /** Names of the sources asked when a request names none. */
  chosen: readonly SourceName[]
}

const REVIEW = { stage: 2, file: 'literature_review.json' }
/** Gaps repeated in the answer itself; the file has them all. */
const ANSWERED_GAPS = 10
const YEARS_PER_COLUMN = 5

/** A version changes when the same inputs would give other files. */
export function stagesAround(dataDir: string, { sources, chosen }: AroundOptions): StageTable {
  return new Stages({ data: dataDir })
    .stage<ProtocolInputs>(1, { version: '1', inputs: schemaOf(1) }, async (job) => {
      if (!job.question?.trim()) {
        throw new StageFailure(422, 'QUESTION_MISSING', 'Stage 1 needs a research_question with words in it.')
      }
      const { title: _, ...inputs } = job.inputs
      const asked = readRequest({ research_question: job.question, inputs }, chosen)
      const query = queryOf(asked, null)
      await job.progress(40, `question framed: ${plural(query.concepts.length, 'concept')}`)
      const searching = asked.inputs.sources
        .flatMap((name) => sources.get(name) ?? [])
        .filter((source): source is Searching => source.kind === 'searches')
      const protocol = protocolOf(asked, query, searching, job.inputs)
      await job.write('protocol.json', json(protocol))
      await job.write('protocol.md', protocolMarkdown(protocol))
      await job.progress(90, `protocol written: ${plural(protocol.queries.length, 'draft query')}`)
      const { question, notice, concepts, left_out, criteria, queries } = protocol
      return { kind: 'protocol', question, notice, concepts, left_out, criteria, queries }
    })
    .stage<{ years_per_column?: number }>(10, { version: '1', inputs: schemaOf(10) }, async (job) => {
      const review = await readJson<LiteratureReview>(job, REVIEW.stage, REVIEW.file)
      await job.progress(20, `${plural(review.value.papers.length, 'included paper')} read, hash verified`)
      const { years_per_column = YEARS_PER_COLUMN } = job.inputs
      const map = evidenceMapOf(review.value, review.sha256, years_per_column)
      await job.progress(60, `${plural(map.cells.length, 'cell')} counted`)
      await job.write('evidence_map.json', json(map))
      await job.write('evidence_map.csv', mapCsv(map))
      await job.write('evidence_map.svg', mapSvg(map))
      await job.write('gaps.md', gapsMarkdown(map))
      await job.progress(90, `${plural(map.gaps.length, 'gap')} named`)
      return {
        kind: 'evidence_map',
        notice: map.notice,
        summary: summaryOf(map),
        counts: { papers: map.papers, concepts: map.concepts.length, gaps: map.gaps.length },
        gaps: map.gaps.slice(0, ANSWERED_GAPS).map(({ text, pointer }) => ({ text, pointer })),
      }
    }).table
}

/** The catalogue has the schemas of the inputs: what the API accepts is what is accepted here. */
function schemaOf(stage: number): object {
  return BUILT_IN.stages.find((entry) => entry.stage === stage)?.inputs ?? {}
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
