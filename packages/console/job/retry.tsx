/** Runs a failed or cancelled job again unchanged, then shows the new job. */
import { useRef, useState } from 'preact/hooks'
import type { JobReference } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { newId } from '../form/draft.ts'
import { Fault } from '../page/parts.tsx'
import { links } from '../state/route.ts'

export function Retry({ job, primary }: { job: JobReference; primary: boolean }) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')
  // Pressing it again after a failure sends the same request.
  const idempotencyKey = useRef(newId()).current

  async function retry(): Promise<void> {
    setBusy(true)
    setFault('')
    try {
      location.hash = links.job(await stagecast.retry(job, { idempotencyKey }))
    } catch (error) {
      setFault(tellFailure(error))
    }
    setBusy(false)
  }

  return (
    <>
      <button
        type="button"
        class={primary ? 'primary' : ''}
        aria-disabled={busy}
        onClick={() => void (busy || retry())}
      >
        {busy ? 'Starting…' : 'Retry'}
      </button>
      <Fault text={fault} />
    </>
  )
}
