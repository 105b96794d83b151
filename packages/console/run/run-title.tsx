/** Names a run by what it did otherwise than the run before it: "Year from 2015". */
import type { Run, RunStep } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { words } from '../form/schema.ts'
import { inShort } from '../page/in-short.ts'
import { Time } from '../page/parts.tsx'
import { listed } from './words.ts'

interface TitleProps {
  run: Run
  /** The run before it in the same workflow. */
  before: Run | undefined
}

/** The time: while the differences are loading, and for runs without any. */
export function RunTitle({ run, before }: TitleProps) {
  const { value } = useAnswer(
    (signal) => titleOf(run, before, signal),
    [run.run_id, before?.run_id, run.steps.map(({ because }) => because).join()],
  )
  const title = run.name || value
  return title ? <bdi>{title}</bdi> : <Time at={run.created_at} />
}

/** How many changes a title names. */
const MOST = 3
/** Longer values are only named. */
const SHORT = 40

async function titleOf({ steps }: Run, before: Run | undefined, signal: AbortSignal): Promise<string> {
  if (!before) return 'First run'
  if (steps.some(({ because }) => because === 'research_question changed')) return 'Another question'
  const changed = steps.filter(({ because }) => because.startsWith('inputs.'))
  const told = await Promise.all(
    changed.map(async (step) => {
      const [now, old] = await Promise.all([
        inputsOf(step, signal),
        inputsOf(
          before.steps.find(({ stage }) => stage === step.stage),
          signal,
        ),
      ])
      return changesOf(old, now)
    }),
  )
  // Several stages may take the same input.
  const changes = [...new Set(told.flat())]
  if (changes.length > MOST) return `${changes.slice(0, MOST).join(', ')} and ${changes.length - MOST} more`
  if (changes.length > 0) return changes.join(', ')
  const asked = steps.filter(({ because }) => because === 'a rerun was asked for')
  const again = `${listed(asked.map(({ stage }) => stage))} again`
  return asked.length > 0 ? again.charAt(0).toUpperCase() + again.slice(1) : ''
}

async function inputsOf(step: RunStep | undefined, signal: AbortSignal): Promise<Record<string, unknown>> {
  if (!step?.job_id) return {}
  const job = { stage: step.stage, job_id: step.job_id }
  // A job may have been deleted since.
  return persist(() => stagecast.status(job, { signal }), signal).then(
    ({ data }) => data.inputs,
    () => ({}),
  )
}

function changesOf(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
    .map((name) => {
      const value = inShort(now[name])
      return value.length <= SHORT ? `${words(name)} ${value}` : words(name)
    })
}
