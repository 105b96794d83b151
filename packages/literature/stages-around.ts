/** The stages before and after the review. All are pure: no clock, no network. */
import { createHash } from 'node:crypto'
import { BUILT_IN } from '../../contract/built-in.ts'
import type { ProtocolInputs, SourceName } from '../../contract/literature.ts'
import { StageFailure, type StageTable } from '../stage-kit/stage.ts'
import type { StageJob } from '../stage-kit/stage-job.ts'
import { Stages } from '../stage-kit/stages.ts'
import { checklistOf } from './checklist/checklist.ts'
import { checklistMarkdown } from './checklist/checklist-md.ts'
import { plural } from './count.ts'
import { evidenceMapOf, summaryOf } from './evidence-map/evidence-map.ts'
import { gapsMarkdown } from './evidence-map/gaps-md.ts'
import { mapCsv } from './evidence-map/map-csv.ts'
import { mapSvg } from './evidence-map/map-svg.ts'
import { readRequest } from './inputs.ts'
import { type Bindings, bindingsOf } from './manuscript/bindings.ts'
import { docxOf } from './manuscript/docx.ts'
import { manuscriptOf } from './manuscript/manuscript.ts'
import { markdownOf } from './manuscript/markdown.ts'
import { References } from './manuscript/references.ts'
import type { ManuscriptInputs, Sources } from './manuscript/sources-of.ts'
import { protocolOf } from './protocol/protocol.ts'
import { protocolMarkdown } from './protocol/protocol-md.ts'
import { queryOf } from './protocol/take-over.ts'
import type { LiteratureReview } from './schema.ts'
import type { Searching, Source } from './source.ts'
import { hasFile, readJson, readText } from './upstream-file.ts'

export interface AroundOptions {
  sources: ReadonlyMap<string, Source>
  /** The sources used if a request names none. */
  chosen: readonly SourceName[]
}

const REVIEW = { stage: 2, file: 'literature_review.json' }
/** How many gaps the answer itself repeats; the file has them all. */
const ANSWERED_GAPS = 10
const YEARS_PER_COLUMN = 5

/** Raise a stage's version when the same inputs would produce different files. */
export function stagesAround(dataDir: string, { sources, chosen }: AroundOptions): StageTable {
  return new Stages({ data: dataDir })
    .stage<ProtocolInputs>(1, { version: '2', inputs: schemaOf(1) }, async (job) => {
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
    .stage<{ years_per_column?: number }>(10, { version: '3', inputs: schemaOf(10) }, async (job) => {
      const review = await readJson<LiteratureReview>(job, REVIEW.stage, REVIEW.file)
      await job.progress(20, `${plural(review.value.papers.length, 'included paper')} read, hash verified`)
      const { years_per_column = YEARS_PER_COLUMN } = job.inputs
      const map = evidenceMapOf(review.value, review.sha256, years_per_column)
      await job.progress(60, `${plural(map.cells.length, 'cell')} counted`)
      await job.write('evidence_map.json', json(map))
      await job.write('evidence_map.csv', mapCsv(map))
      await job.write('evidence_map.svg', mapSvg(map))
      await job.write('gaps.md', gapsMarkdown(map))
      await job.progress(90, `${plural(map.gaps.length, 'gap')} found`)
      return {
        kind: 'evidence_map',
        notice: map.notice,
        summary: summaryOf(map),
        counts: { papers: map.papers, concepts: map.concepts.length, gaps: map.gaps.length },
        gaps: map.gaps.slice(0, ANSWERED_GAPS).map(({ text, pointer }) => ({ text, pointer })),
        to_decide: toDecide(review.value),
      }
    })
    .stage<ManuscriptInputs>(14, { version: '4', inputs: schemaOf(14) }, async (job) => {
      const sources = await sourcesOf(job)
      await job.progress(30, 'files of earlier stages read, hashes verified')
      const manuscript = manuscriptOf(sources)
      const written = markdownOf(manuscript)
      const bindings = bindingsOf(written, MANUSCRIPT)
      await job.progress(60, `numbers and citations bound: ${bindings.tokens.length}`)
      await job.write(MANUSCRIPT, written.text)
      await job.write('manuscript.docx', await docxOf(manuscript))
      await job.write(BINDINGS, json(bindings))
      const { tokens, gaps, sections } = bindings
      await job.progress(90, `manuscript written: ${plural(gaps.length, 'gap')} for the author`)
      return {
        kind: 'manuscript',
        notice: sources.review.value.notice,
        counts: { sections: sections.length, bound: tokens.length, gaps: gaps.length },
        gaps: gaps.map(({ section, text }) => ({ section, text })),
        to_decide: toDecide(sources.review.value),
      }
    })
    .stage(16, { version: '3', inputs: schemaOf(16) }, async (job) => {
      const text = await readText(job, 14, MANUSCRIPT)
      const bindings = await readJson<Bindings>(job, 14, BINDINGS)
      await job.progress(40, 'manuscript and bindings read, hashes verified')
      const checklist = checklistOf(text.value, bindings.value)
      await job.write('checklist.json', json(checklist))
      await job.write('checklist.md', checklistMarkdown(checklist))
      await job.progress(90, `${plural(checklist.items.length, 'item')} checked`)
      return {
        kind: 'checklist',
        guideline: checklist.guideline,
        items: checklist.items.map(({ item, topic, state }) => ({ item, topic, state })),
        unbound: checklist.unbound.length,
      }
    }).table
}

const MANUSCRIPT = 'manuscript.md'
const BINDINGS = 'bindings.json'

async function sourcesOf(job: StageJob<ManuscriptInputs>): Promise<Sources> {
  const { stage, inputs } = job
  const sha256 = createHash('sha256').update(JSON.stringify(inputs)).digest('hex')
  return {
    review: await readJson(job, REVIEW.stage, REVIEW.file),
    flow: await readJson(job, REVIEW.stage, 'prisma.json'),
    log: await readJson(job, REVIEW.stage, 'search_log.json'),
    map: await readJson(job, 10, 'evidence_map.json'),
    protocol: hasFile(job, 1, 'protocol.json') ? await readJson(job, 1, 'protocol.json') : null,
    inputs: { name: 'inputs', stage, sha256, value: inputs },
    references: new References(await readJson(job, REVIEW.stage, 'references.csl.json')),
  }
}

/** How many papers wait for a decision, and the stage whose `decisions` option settles them. The signer must know this. */
function toDecide({ counts }: LiteratureReview): { papers: number; stage: number } {
  return { papers: counts.uncertain, stage: REVIEW.stage }
}

/** Uses the catalogue's schemas, so that this service accepts what the API accepts. */
function schemaOf(stage: number): object {
  return BUILT_IN.stages.find((entry) => entry.stage === stage)?.inputs ?? {}
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
