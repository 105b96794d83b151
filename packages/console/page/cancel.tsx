/** Cancels a job or a run, once the user has confirmed it. */
import { useState } from 'preact/hooks'
import { StagecastError } from '../../client/index.ts'
import { tellFailure } from '../api/api.ts'
import { Fault } from './parts.tsx'

interface CancelProps {
  what: 'job' | 'run'
  /** It is already being cancelled. */
  asked: boolean
  send: () => Promise<unknown>
}

export function Cancel({ what, asked, send }: CancelProps) {
  const [sure, setSure] = useState(false)
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')

  async function cancel(): Promise<void> {
    setBusy(true)
    setFault('')
    try {
      await send()
    } catch (error) {
      // It ended at the same moment; the event is on its way to this page.
      if (!(error instanceof StagecastError && error.status === 409)) setFault(tellFailure(error))
    }
    setBusy(false)
    setSure(false)
  }

  if (asked) return <span class="push">Cancelling…</span>
  return (
    <span class="push cancel">
      <Fault text={fault} />
      {sure ? (
        <>
          <span>Cancel this {what}?</span>
          <button
            type="button"
            class="danger"
            aria-disabled={busy}
            ref={focus}
            onClick={() => void (busy || cancel())}
          >
            Yes, cancel it
          </button>
          <button type="button" onClick={() => setSure(false)}>
            No
          </button>
        </>
      ) : (
        <button type="button" onClick={() => setSure(true)}>
          Cancel
        </button>
      )}
    </span>
  )
}

/** The pressed button is gone, so move the focus to what replaced it. */
function focus(element: HTMLElement | null): void {
  element?.focus()
}
