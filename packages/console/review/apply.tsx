/**
 * Runs the stage again with the decisions made by hand, or plans a run of its workflow with them. Stays visible while any
 * decision is not applied.
 */
import { useRef, useState } from 'preact/hooks'
import type { JobSnapshot } from '../../../contract/job.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { type Draft, keyFor } from '../form/draft.ts'
import { links } from '../state/route.ts'
import type { Deciding } from './use-decisions.ts'

interface ApplyProps {
  stage: number
  asked: JobSnapshot['data']
  deciding: Deciding
  /** Plans a run with these decisions, where the job is a step of one; else the stage runs by itself. */
  planWith?: ((decisions: object) => Promise<void>) | undefined
}

export function Apply({ stage, asked, deciding, planWith }: ApplyProps) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')
  const sent = useRef<Draft['sent']>(undefined)
  const { changed, decisions } = deciding

  async function apply(): Promise<void> {
    if (planWith) return plan(planWith)
    const { decisions: _, ...inputs } = asked.inputs
    const some = Object.keys(decisions).length > 0
    const body = {
      workflow_id: asked.workflow_id,
      ...(asked.research_question !== null && { research_question: asked.research_question }),
      inputs: { ...inputs, ...(some && { decisions: trimmed(decisions) }) },
    }
    const text = JSON.stringify(body)
    const key = keyFor(text, sent.current)
    sent.current = { body: text, key }
    setBusy(true)
    setFault('')
    try {
      const job = await stagecast.execute(stage, body, { idempotencyKey: key })
      deciding.forget()
      location.hash = links.job(job)
    } catch (error) {
      setFault(tellFailure(error))
      setBusy(false)
    }
  }

  async function plan(planWith: (decisions: object) => Promise<void>): Promise<void> {
    setBusy(true)
    setFault('')
    try {
      await planWith(trimmed(decisions))
      deciding.forget()
    } catch (error) {
      setFault(tellFailure(error))
      setBusy(false)
    }
  }

  return (
    <div class={changed > 0 ? 'apply shown' : 'apply'} role="status">
      {changed > 0 && (
        <>
          <p>
            <strong>{changed === 1 ? '1 decision' : `${changed} decisions`}</strong> not applied yet
          </p>
          {fault && <p class="fault">{fault}</p>}
          <div class="actions">
            <button type="button" class="primary" aria-disabled={busy} onClick={() => void (busy || apply())}>
              {busy ? 'Starting…' : planWith ? 'Plan a run with them' : 'Apply'}
            </button>
            <button type="button" class="plain" onClick={deciding.forget}>
              Discard
            </button>
          </div>
        </>
      )}
    </div>
  )
}

/** Drops reasons that are blank. */
function trimmed(decisions: Deciding['decisions']) {
  return Object.fromEntries(
    Object.entries(decisions).map(([id, { decision, reason }]) => [
      id,
      { decision, ...(reason?.trim() && { reason: reason.trim() }) },
    ]),
  )
}
