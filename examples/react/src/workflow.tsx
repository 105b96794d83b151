/** All jobs of a workflow over one connection. */
import { useWorkflow } from 'stagecast/react'
import { stagecast } from './stagecast.ts'

export function Workflow({ id }: { id: string }) {
  const { jobs, failure } = useWorkflow(stagecast, id)
  if (failure) return <p role="alert">{failure.message}</p>
  return (
    <ul aria-label="Workflow">
      {[...(jobs?.values() ?? [])].map(({ job_id, stage, status, progress }) => (
        <li key={job_id}>
          Stage {stage}: {status}, {progress} %
        </li>
      ))}
    </ul>
  )
}
