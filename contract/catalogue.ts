/** The 20 stages: data, and from it the schema of each stage's request body. To add options to a stage, name its schema here. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { ResearchQuestion, StageNumber, Uuid } from './job.ts'
import { LiteratureInputs, literatureFaults } from './literature.ts'

export const Stage = Type.Object(
  {
    stage: StageNumber,
    slug: Type.String(),
    title: Type.String(),
    /** A human signs off before the stage's result counts as done. */
    sign_off: Type.Boolean(),
    optional: Type.Boolean(),
    /** Whether the request must carry a research question. */
    needs_question: Type.Boolean(),
  },
  { title: 'Stage' },
)
export type Stage = Static<typeof Stage>

type Flag = 'sign-off' | 'optional' | 'question'

const stage = (number: number, slug: string, title: string, ...flags: Flag[]): Stage => ({
  stage: number,
  slug,
  title,
  sign_off: flags.includes('sign-off'),
  optional: flags.includes('optional'),
  needs_question: flags.includes('question'),
})

export const CATALOGUE: readonly Stage[] = [
  stage(1, 'topic-declaration', 'Topic declaration'),
  stage(2, 'literature-search', 'Literature search', 'question'),
  stage(3, 'irb-proposal', 'IRB proposal'),
  stage(4, 'variable-definition', 'Variable definition'),
  stage(5, 'phi-scanning', 'PHI scanning', 'sign-off'),
  stage(6, 'schema-extraction', 'Schema extraction'),
  stage(7, 'final-scrubbing', 'Final scrubbing'),
  stage(8, 'data-validation', 'Data validation'),
  stage(9, 'summary-characteristics', 'Summary characteristics', 'sign-off'),
  stage(10, 'gap-analysis', 'Gap analysis', 'sign-off'),
  stage(11, 'manuscript-ideation', 'Manuscript ideation', 'sign-off'),
  stage(12, 'manuscript-selection', 'Manuscript selection'),
  stage(13, 'statistical-analysis', 'Statistical analysis', 'sign-off'),
  stage(14, 'manuscript-drafting', 'Manuscript drafting', 'sign-off'),
  stage(15, 'polish-manuscript', 'Manuscript polishing', 'sign-off'),
  stage(16, 'submission-readiness', 'Submission readiness'),
  stage(17, 'poster', 'Poster', 'optional'),
  stage(18, 'symposium', 'Symposium', 'optional'),
  stage(19, 'presentation', 'Presentation', 'optional'),
  stage(20, 'conference-prep', 'Conference preparation', 'optional'),
]

/** Options by stage number; a stage without its own takes any object and leaves judging it to the service. */
const INPUTS: Readonly<Record<number, TSchema>> = { 2: LiteratureInputs }

const AnyInputs = Type.Record(Type.String(), Type.Unknown(), { description: 'passed to the stage service' })

/** What every execute body comes down to, whatever its stage. */
export interface ExecuteBody {
  workflow_id: string
  research_question?: string
  inputs?: Record<string, unknown>
}

/**
 * What speaks against options that match their schema: rules between fields, which a schema cannot tell.
 * `path` is inside `inputs`.
 */
export function inputFaults(stage: number, inputs: unknown): { path: string; message: string }[] {
  return stage === 2 && inputs !== undefined
    ? literatureFaults(inputs as Static<typeof LiteratureInputs>)
    : []
}

/** The schema of the body of `POST /api/workflow/stages/{stage}/execute`. */
export function executeBody({ stage, needs_question }: Stage): TSchema {
  return Type.Object(
    {
      workflow_id: Uuid,
      research_question: needs_question ? ResearchQuestion : Type.Optional(ResearchQuestion),
      inputs: Type.Optional(INPUTS[stage] ?? AnyInputs),
    },
    { additionalProperties: false, title: `Stage${stage}Request` },
  )
}
