/** One job, live. */
import { type JobReference, useJob } from 'stagecast/react'
import { stagecast } from './stagecast.ts'

const HOW = { sse: 'live', polling: 'polling', waiting: 'waiting for the network' }

export function Job({ job }: { job: JobReference }) {
  const { status, progress, message, steps, error, result, transport, failure, isOver, retry } = useJob(
    stagecast,
    job,
  )
  return (
    <section aria-label="Job">
      <p>
        <b data-testid="status">{status}</b>{' '}
        {!isOver && <span data-testid="transport">{transport ? HOW[transport] : 'connecting'}</span>}
      </p>
      <progress max={100} value={progress} aria-label="Progress" />
      <p>{message}</p>
      {failure && (
        <p role="alert">
          {failure.message}{' '}
          <button type="button" onClick={retry}>
            Try again
          </button>
        </p>
      )}
      {error && <p role="alert">{error.message}</p>}
      <ol aria-label="Events">
        {steps.map(({ id, event, data }) => (
          <li key={id} data-id={id}>
            {event}: {data.message}
          </li>
        ))}
      </ol>
      {result && <p data-testid="result">Files: {result.artifacts.join(', ') || 'none'}</p>}
    </section>
  )
}
