/** The number of undecided papers, and a link to where a person decides. */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { JobReference, RunStep } from '../../client/index.ts'
import { data, number } from '../api/read.ts'
import { links } from '../state/route.ts'

export interface ToDecide {
  papers: number
  /** The stage whose options take the decisions. */
  stage: number
}

/** What a result says about it: a review counts its own papers, and a later stage repeats the count. */
export function toDecideIn({ stage, result }: Pick<JobSnapshot, 'stage' | 'result'>): ToDecide | null {
  const { kind, counts, to_decide } = data(result?.results)
  const told = data(to_decide)
  const papers = number(told.papers) ?? (kind === 'literature_review' ? number(data(counts).uncertain) : null)
  return papers ? { papers, stage: number(told.stage) ?? stage } : null
}

interface NoteProps extends ToDecide {
  /** Steps of the run, to find the job where one decides; none where the user may not open it. */
  steps: readonly RunStep[]
}

export function ToDecideNote({ papers, stage, steps }: NoteProps) {
  const job_id = steps.find((step) => step.stage === stage && step.status !== 'deleted')?.job_id
  const place: JobReference | null = job_id ? { stage, job_id } : null
  return (
    <p class="note">
      {papers === 1 ? '1 paper is undecided' : `${papers} papers are undecided`}: the rules could not judge{' '}
      {papers === 1 ? 'it' : 'them'}, so this result leaves {papers === 1 ? 'it' : 'them'} out.{' '}
      {place ? (
        <a href={links.decide(place)}>
          Decide on {papers === 1 ? 'it' : 'them'} in stage {stage}
        </a>
      ) : (
        `The owner can include or exclude ${papers === 1 ? 'it' : 'them'} on the page of stage ${stage}.`
      )}
    </p>
  )
}
