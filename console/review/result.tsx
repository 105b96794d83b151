/** What a job left behind: the review as a page where there is one, any other answer as data, and its files. */
import { useEffect, useState } from 'preact/hooks'
import type { JobResult } from '../../stages/job.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { persist } from '../api/persist.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { Files } from './files.tsx'
import { type Data, isData } from './read.ts'
import { ReviewView } from './review-view.tsx'

const REVIEW_FILE = 'literature_review.json'

export interface JobRef {
  stage: number
  job_id: string
}

export function Result({ job, result }: { job: JobRef; result: JobResult }) {
  const hasReview = result.artifacts.includes(REVIEW_FILE)
  return (
    <>
      {hasReview ? <Review job={job} /> : <Answer results={result.results} />}
      <Files job={job} names={result.artifacts} />
    </>
  )
}

function Review({ job }: { job: JobRef }) {
  const [review, setReview] = useState<Data | null>(null)
  const [failure, setFailure] = useState('')
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const leaving = new AbortController()
    setFailure('')
    persist(
      async () => (await stagecast.artifact(job, REVIEW_FILE)).json() as Promise<unknown>,
      leaving.signal,
    ).then(
      (document) => (isData(document) ? setReview(document) : setFailure('The review cannot be read.')),
      (error) => leaving.signal.aborted || setFailure(tellFailure(error)),
    )
    return () => leaving.abort()
  }, [job.job_id, tries])
  if (failure) return <Failure text={failure} again={() => setTries(tries + 1)} />
  return review ? <ReviewView review={review} /> : <Loading what="the review" />
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
