/** Pauses and resumes the queue. */
import { useState } from 'preact/hooks'
import { postJson, tellFailure } from '../api/api.ts'
import { Confirm } from '../page/confirm.tsx'
import { Fault } from '../page/parts.tsx'

interface PauseProps {
  paused: boolean
  /** Called when it has changed. */
  onChange: (paused: string[]) => void
}

export function Pause({ paused, onChange }: PauseProps) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')

  async function change(): Promise<void> {
    setBusy(true)
    setFault('')
    try {
      const path = `/api/admin/queue/${paused ? 'resume' : 'pause'}`
      onChange((await postJson<{ paused: string[] }>(path)).paused)
    } catch (error) {
      setFault(tellFailure(error))
    }
    setBusy(false)
  }

  return (
    <div class="row pause">
      {paused ? (
        <button type="button" class="primary" aria-disabled={busy} onClick={() => void (busy || change())}>
          Resume the queue
        </button>
      ) : (
        <Confirm
          text="Pause the queue"
          question="Pause the queue for all users?"
          yes="Yes, pause it"
          act={change}
        />
      )}
      <span class="quiet">
        {paused
          ? 'Paused: no job starts until you resume it. Running jobs finish.'
          : 'While it is paused no job starts; running jobs finish and new ones are accepted.'}
      </span>
      <Fault text={fault} />
    </div>
  )
}
