/** Deletes a finished job with its result and its files, once the user has confirmed it. */
import { type JobReference, StagecastError } from '../../client/index.ts'
import { stagecast } from '../api/api.ts'
import { Confirm } from './confirm.tsx'

interface DeleteProps {
  job: JobReference
  /** Names the job where there are several. */
  name?: string
  onDeleted: () => void
}

export function DeleteJob({ job, name, onDeleted }: DeleteProps) {
  async function act(): Promise<void> {
    try {
      await stagecast.delete(job)
    } catch (error) {
      // Another client has just deleted it.
      if (!(error instanceof StagecastError && error.status === 404)) throw error
    }
    onDeleted()
  }
  return (
    <Confirm
      text="Delete"
      label={name && `Delete ${name}`}
      kind="plain"
      question="Delete this job with its result and files?"
      yes="Yes, delete it"
      act={act}
    />
  )
}
