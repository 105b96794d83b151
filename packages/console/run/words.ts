/** What the states of runs and steps are called, and what a step that has not begun waits for. */
import type { Stage } from '../../../contract/catalogue.ts'
import type { RunStep } from '../../client/index.ts'

const NAMES: Record<string, string> = {
  pending: 'waits',
  awaiting_sign_off: 'needs sign-off',
  waiting: 'waiting for sign-off',
}

export function statusWord(status: string): string {
  return NAMES[status] ?? status
}

/** States in which nothing behind a step can start yet. */
const OPEN = ['pending', 'queued', 'active', 'retrying', 'cancelling', 'awaiting_sign_off']

/** The API's reason for a stage that this workflow has no result of. True of the past, so it needs other words once it runs. */
const NEVER = 'never run'

/** One sentence: why a step ran or was reused, or what it waits for. */
export function whyOf(step: RunStep, steps: readonly RunStep[], stages: readonly Stage[] | null): string {
  if (step.because === NEVER) return 'First run of this stage.'
  if (step.status !== 'pending') return step.because && `${capital(step.because)}.`
  const { needs = [], uses = [] } = stages?.find(({ stage }) => stage === step.stage) ?? {}
  const before = [...needs, ...uses]
  const open = steps.filter(({ stage, status }) => before.includes(stage) && OPEN.includes(status))
  if (open.length === 0) return 'Starts next.'
  const gates = open.every(({ status }) => status === 'awaiting_sign_off')
  const which = listed(open.map(({ stage }) => stage))
  return gates ? `Waits for the sign-off of ${which}.` : `Waits for ${which}.`
}

/** `[1, 2]` as "stages 1 and 2". */
export function listed(numbers: readonly number[]): string {
  const last = numbers.at(-1)
  if (numbers.length < 2) return `stage ${last}`
  return `stages ${numbers.slice(0, -1).join(', ')} and ${last}`
}

/** A reason for people: `inputs.year_from changed` as "Inputs year from changed". */
export function capital(because: string): string {
  if (because === NEVER) return 'Has not run before'
  const text = because
    .replace(/^research_question/, 'the question')
    .replace(/^inputs\.(\S+)/, (_, path: string) => `“${pathWords(path)}”`)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `place.year_from` as "Place › year from". */
function pathWords(path: string): string {
  const text = path.replaceAll('_', ' ').replaceAll('.', ' › ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
