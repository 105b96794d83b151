/** Approve or reject what a gate shows. The digest binds the decision to it. */
import { useState } from 'preact/hooks'
import type { Run, RunStep } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { isAdmin, session } from '../api/session.ts'
import { Time } from '../page/parts.tsx'
import { useStore } from '../state/store.ts'
import { useMaySign } from './use-may-sign.ts'

interface DecideProps {
  run: Run
  step: RunStep
  /** What the stage is called. */
  title: string
  /** Number of undecided papers. */
  undecided: number
  /** How many passages are marked for the author. */
  marked: number
  onApproved: () => void
}

export function Decide({ run, step, title, undecided, marked, onApproved }: DecideProps) {
  const who = useStore(session)
  const { maySign, failure } = useMaySign(run, step.stage)
  return (
    <div class="verdict">
      <h3>
        Stage {step.stage}: {title}
      </h3>
      <p class="quiet">Waiting since {step.sign_off && <Time at={step.sign_off.since} />}.</p>
      {undecided > 0 && (
        <p class="undecided">
          <strong>{undecided === 1 ? '1 paper is undecided.' : `${undecided} papers are undecided.`}</strong>{' '}
          If you approve now, the result will not include {undecided === 1 ? 'it' : 'them'}.
        </p>
      )}
      {marked > 0 && (
        <p class="marked">
          You can leave the {marked === 1 ? 'passage' : `${marked} passages`} marked [AUTHOR: …] open for now
          and write {marked === 1 ? 'it' : 'them'} later in the downloaded document.
        </p>
      )}
      {failure && <p class="alert">{failure}</p>}
      {maySign === false && (
        <p class="note">
          {isAdmin(who)
            ? 'You can read this run as an administrator, but your token may not sign it off.'
            : 'You cannot decide here: your token has no sign-off scope. Users with that scope find this step under “Sign-offs”.'}
        </p>
      )}
      {maySign && <Verdict run={run} step={step} onApproved={onApproved} />}
    </div>
  )
}

function Verdict({ run, step, onApproved }: Omit<DecideProps, 'title' | 'undecided' | 'marked'>) {
  /** Several gates may be open on one page. */
  const id = `reason-${step.stage}`
  const [rejecting, setRejecting] = useState(false)
  const [reason, setReason] = useState('')
  const [missing, setMissing] = useState(false)
  const [sent, setSent] = useState<'approved' | 'rejected' | null>(null)
  const [fault, setFault] = useState('')

  async function send(verdict: 'approved' | 'rejected'): Promise<void> {
    if (sent) return
    const isMissing = verdict === 'rejected' && reason.trim() === ''
    setMissing(isMissing)
    if (isMissing) return document.getElementById(id)?.focus()
    setSent(verdict)
    setFault('')
    try {
      const digest = step.sign_off?.digest ?? ''
      const why = verdict === 'rejected' ? { reason: reason.trim() } : {}
      // The event of the decision takes this form away.
      await stagecast.runs.signOff(run, step.stage, { verdict, digest, ...why })
      if (verdict === 'approved') onApproved()
    } catch (error) {
      setFault(tellFailure(error))
      setSent(null)
    }
  }

  return (
    <>
      <div role="alert">{fault && <p class="alert">{fault}</p>}</div>
      {!rejecting && (
        <>
          <p>
            Read the result to the end first. If you approve it, the later stages start. If you reject it, the
            run ends here; you can then change the options and run again.
          </p>
          <div class="actions">
            <button
              type="button"
              class="primary"
              aria-disabled={sent !== null}
              onClick={() => void send('approved')}
            >
              {sent === 'approved' ? 'Approving…' : `Approve stage ${step.stage}`}
            </button>
            <button type="button" onClick={() => setRejecting(true)}>
              Reject…
            </button>
          </div>
        </>
      )}
      {rejecting && (
        <>
          <div class={missing ? 'field faulty' : 'field'}>
            <label for={id}>Reason</label>
            <p class="hint" id={`${id}-hint`}>
              The owner of the run sees this reason. A later run repeats this stage.
            </p>
            <textarea
              id={id}
              rows={3}
              maxLength={4000}
              value={reason}
              ref={focusOnce}
              aria-describedby={`${id}-hint ${id}-fault`}
              aria-invalid={missing ? 'true' : 'false'}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
            <p class="fault" id={`${id}-fault`}>
              {missing && 'A rejection needs a reason.'}
            </p>
          </div>
          <div class="actions">
            <button
              type="button"
              class="danger"
              aria-disabled={sent !== null}
              onClick={() => void send('rejected')}
            >
              {sent === 'rejected' ? 'Rejecting…' : 'Reject'}
            </button>
            <button type="button" onClick={() => setRejecting(false)}>
              Back
            </button>
          </div>
        </>
      )}
    </>
  )
}

/** The pressed button is gone, so move the focus to what replaced it. The function is the same at each rendering. */
function focusOnce(element: HTMLElement | null): void {
  element?.focus()
}
