/** The events that announce a change of a run. */
import type { RunEventData, SignOffEventData } from '../contract/run.ts'
import type { RunDocument, Step } from './document.ts'

export type RunEvent = { event: 'run'; data: RunEventData } | { event: 'sign_off'; data: SignOffEventData }

/**
 * The events between two states of a run; `before` is null for a new run. Decisions come first, then changes of steps that
 * no job reports. The last event has the run's new status, the others have its old one.
 */
export function eventsBetween(before: RunDocument | null, after: RunDocument, at: number): RunEvent[] {
  const { run_id, workflow_id, status } = after
  const events: RunEvent[] = []
  const tell = (data: Partial<RunEventData>) =>
    events.push({
      event: 'run',
      data: { run_id, workflow_id, status: before?.status ?? 'running', ...data, at },
    })
  for (const step of after.steps) {
    const was = before?.steps.find(({ stage }) => stage === step.stage)
    const { digest = '', decision = null } = step.sign_off ?? {}
    // A decision that carried over from an earlier run needs no event.
    if (decision && was?.status === 'awaiting_sign_off' && !was.sign_off?.decision)
      events.push({
        event: 'sign_off',
        data: { run_id, workflow_id, stage: step.stage, digest, ...decision },
      })
  }
  if (!before) tell({})
  for (const step of after.steps) {
    const was = before?.steps.find(({ stage }) => stage === step.stage)
    if (was?.status !== step.status && !tellsItself(was, step))
      tell({ step: { stage: step.stage, status: step.status } })
  }
  if ((before?.status ?? 'running') === status) return events
  const last = events.at(-1)
  if (last?.event === 'run' && (before || events.length > 1)) last.data.status = status
  else tell({ status })
  return events
}

/** Whether the job of a step reports this change. */
function tellsItself(was: Step | undefined, { status, content }: Step): boolean {
  if (status === 'pending' || status === 'queued') return true
  if (was?.status !== 'queued') return false
  return status === 'completed' || status === 'failed' || (status === 'cancelled' && content === null)
}
