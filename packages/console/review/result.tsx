/** A job's result: a review as a page, any other result as data, and the files. */
import { useEffect, useState } from 'preact/hooks'
import type { JobResult, JobSnapshot } from '../../../contract/job.ts'
import type { JobReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { type Data, data } from '../api/read.ts'
import { fieldsOf, type OpenApi } from '../form/schema.ts'
import { useDocument } from '../form/use-document.ts'
import { keyOf } from '../form/values.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { PreviewResult } from '../search/preview-result.tsx'
import { Apply } from './apply.tsx'
import { FilePreviews } from './file-previews.tsx'
import { Files } from './files.tsx'
import { JsonTree } from './json-tree.tsx'
import { ReviewView } from './review-view.tsx'
import { useDecisions } from './use-decisions.ts'

/** The request, as in the job's snapshot. */
type Asked = JobSnapshot['data']

interface ResultProps {
  job: JobReference
  result: JobResult
  asked: Asked
  /** See `Apply`; for a job that is a step of a run. */
  planDecisions?: PlanDecisions | undefined
}

export type PlanDecisions = (document: OpenApi, asked: Asked, decisions: object) => Promise<void>

/** The `kind` of a result that only describes the search. */
const PREVIEW = 'search_preview'
const DECISIONS = 'inputs/decisions'
const REVIEW_FILE = 'literature_review.json'
/** Contains the flow's numbers by source, which the review itself lacks. */
const FLOW_FILE = 'prisma.json'

export function Result({ job, result, asked, planDecisions }: ResultProps) {
  const { artifacts, results } = result
  const view = artifacts.includes(REVIEW_FILE) ? (
    <Review job={job} names={artifacts} asked={asked} planDecisions={planDecisions} />
  ) : results?.kind === PREVIEW ? (
    <PreviewResult stage={job.stage} results={results} asked={asked} />
  ) : (
    <Answer job={job} names={artifacts} results={results} />
  )
  return (
    <>
      {view}
      <Files job={job} names={artifacts} />
    </>
  )
}

interface ReviewProps extends Pick<ResultProps, 'job' | 'asked' | 'planDecisions'> {
  names: readonly string[]
}

function Review({ job, names, asked, planDecisions }: ReviewProps) {
  const { stage, job_id } = job
  const [review, setReview] = useState<{ review: Data; prisma: Data } | null>(null)
  const [failure, setFailure] = useState('')
  const [attempt, setAttempt] = useState({})
  const deciding = useDecisions(job_id, asked.inputs)
  const { document } = useDocument()
  const takesDecisions = document && fieldsOf(document, stage)?.some((field) => keyOf(field) === DECISIONS)
  const hasFlow = names.includes(FLOW_FILE)
  useEffect(() => {
    const leaving = new AbortController()
    setFailure('')
    const read = async (name: string) =>
      persist(
        async () => data(await (await stagecast.artifact({ stage, job_id }, name)).json()),
        leaving.signal,
      )
    Promise.all([read(REVIEW_FILE), hasFlow ? read(FLOW_FILE) : {}]).then(
      ([found, prisma]) => leaving.signal.aborted || setReview({ review: found, prisma }),
      (error) => leaving.signal.aborted || setFailure(tellFailure(error)),
    )
    return () => leaving.abort()
  }, [stage, job_id, hasFlow, attempt])
  if (failure) return <Failure text={`The review: ${failure}`} again={() => setAttempt({})} />
  if (!review) return <Loading what="the review" />
  return (
    <>
      <ReviewView {...review} deciding={takesDecisions ? deciding : null} />
      {takesDecisions && (
        <Apply
          stage={stage}
          asked={asked}
          deciding={deciding}
          planWith={
            planDecisions && document ? (decisions) => planDecisions(document, asked, decisions) : undefined
          }
        />
      )}
    </>
  )
}

/** Files that can be read come first; the answer itself is for programs where there are any. */
function Answer({
  job,
  names,
  results,
}: {
  job: JobReference
  names: readonly string[]
  results: Data | undefined
}) {
  const readable = names.some((name) => /\.(?:md|svg)$/i.test(name))
  const empty = !results || Object.keys(results).length === 0
  const told = <JsonTree value={results} label="Answer" />
  return (
    <>
      <FilePreviews job={job} names={names} />
      {!empty && readable && (
        <details class="fold">
          <summary>
            <h2>Answer as data</h2>
          </summary>
          {told}
        </details>
      )}
      {!empty && !readable && (
        <section aria-labelledby="answer">
          <h2 id="answer">Result</h2>
          {told}
        </section>
      )}
    </>
  )
}
