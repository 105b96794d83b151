/** A button whose act needs a second press, because it cannot be undone. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { tellFailure } from '../api/api.ts'
import { Fault } from './parts.tsx'

interface ConfirmProps {
  /** What the button says, and what it says to a screen reader where that is not enough. */
  text: string
  label?: string | undefined
  question: string
  yes: string
  kind?: 'plain' | undefined
  act: () => Promise<unknown>
}

export function Confirm({ text, label, question, yes, kind, act }: ConfirmProps) {
  const [sure, setSure] = useState(false)
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')
  const box = useRef<HTMLSpanElement>(null)
  const shown = useRef(false)
  useEffect(() => {
    // The pressed button is gone, so move the focus to what replaced it.
    if (shown.current) box.current?.querySelector('button')?.focus()
    shown.current = true
  }, [sure])

  async function go(): Promise<void> {
    setBusy(true)
    setFault('')
    await act().catch((error) => setFault(tellFailure(error)))
    setBusy(false)
    setSure(false)
  }

  return (
    <span ref={box} class={sure || fault ? 'push confirm asking' : 'push confirm'}>
      <Fault text={fault} />
      {sure ? (
        <>
          <span>{question}</span>
          <button type="button" class="danger" aria-disabled={busy} onClick={() => void (busy || go())}>
            {yes}
          </button>
          <button type="button" onClick={() => setSure(false)}>
            No
          </button>
        </>
      ) : (
        <button type="button" class={kind} aria-label={label} onClick={() => setSure(true)}>
          {text}
        </button>
      )}
    </span>
  )
}
