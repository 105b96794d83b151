/** Cancels a job or a run, once the user has confirmed it. */
import { StagecastError } from '../../client/index.ts'
import { Confirm } from './confirm.tsx'

interface CancelProps {
  what: 'job' | 'run'
  /** It is already being cancelled. */
  asked: boolean
  send: () => Promise<unknown>
}

export function Cancel({ what, asked, send }: CancelProps) {
  if (asked) return <span class="push">Cancelling…</span>
  const act = () =>
    send().catch((error) => {
      // It ended at the same moment; the event is on its way to this page.
      if (!(error instanceof StagecastError && error.status === 409)) throw error
    })
  return <Confirm text="Cancel" question={`Cancel this ${what}?`} yes="Yes, cancel it" act={act} />
}
