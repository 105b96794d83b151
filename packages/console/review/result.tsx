/** What a job left behind: the review as a page where there is one, any other answer as data, and its files. */
import { useEffect, useState } from 'preact/hooks'
import type { JobResult } from '../../../contract/job.ts'
import type { JobReference } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { persist } from '../api/persist.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { Files } from './files.tsx'
import { type Data, data } from './read.ts'
import { ReviewView } from './review-view.tsx'

const REVIEW_FILE = 'literature_review.json'
/** Has the numbers of the flow by source, which the review itself has not. */
const FLOW_FILE = 'prisma.json'

export function Result({ job, result }: { job: JobReference; result: JobResult }) {
  const hasReview = result.artifacts.includes(REVIEW_FILE)
  return (
    <>
      {hasReview ? <Review job={job} names={result.artifacts} /> : <Answer results={result.results} />}
      <Files job={job} names={result.artifacts} />
    </>
  )
}

function Review({ job, names }: { job: JobReference; names: readonly string[] }) {
  const { stage, job_id } = job
  const [review, setReview] = useState<{ review: Data; prisma: Data } | null>(null)
  const [failure, setFailure] = useState('')
  const [attempt, setAttempt] = useState({})
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
      ([document, prisma]) => leaving.signal.aborted || setReview({ review: document, prisma }),
      (error) => leaving.signal.aborted || setFailure(tellFailure(error)),
    )
    return () => leaving.abort()
  }, [stage, job_id, hasFlow, attempt])
  if (failure) return <Failure text={`The review: ${failure}`} again={() => setAttempt({})} />
  return review ? <ReviewView {...review} /> : <Loading what="the review" />
}

function Answer({ results }: { results: Data | undefined }) {
  if (!results || Object.keys(results).length === 0) return null
  return (
    <section aria-labelledby="answer">
      <h2 id="answer">Result</h2>
      <pre class="answer" tabIndex={0}>
        {JSON.stringify(results, null, 2)}
      </pre>
    </section>
  )
}
