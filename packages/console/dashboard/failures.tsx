/** The jobs that failed last, of all users. */
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { JobRow } from '../lists/job-row.tsx'
import { Failure } from '../page/parts.tsx'
import { links } from '../state/route.ts'

const SHOWN = 5

/** `count`: how many have failed; the list is read again when it changes. */
export function Failures({ count }: { count: number }) {
  const { value: jobs, failure } = useAnswer(count > 0 ? lastFailed : null, [count])
  if (failure) return <Failure text={failure} />
  if (!jobs || jobs.length === 0) return null
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">Recent failures</h2>
      <ul class="jobs">
        {jobs.map((job) => (
          <JobRow key={job.job_id} job={job} />
        ))}
      </ul>
      <p>
        <a href={links.filtered({ status: 'failed' })}>All failed jobs</a>
      </p>
    </section>
  )
}

/** A page may be short, or empty, before the end. */
async function lastFailed(signal: AbortSignal) {
  const found = []
  for (let after: string | undefined; ; ) {
    const page = await stagecast.jobs({ status: 'failed', limit: SHOWN, after }, { signal })
    found.push(...page.jobs)
    if (page.next === null || found.length >= SHOWN) return found.slice(0, SHOWN)
    after = page.next
  }
}
