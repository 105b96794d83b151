/** What one run did otherwise than the run before it: why each step ran, which of its inputs differ, and which files. */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { Run, RunStep } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'

export interface Difference {
  /** `['year_from']`, or `['place', 'lat']`. */
  path: readonly string[]
  /** Undefined: not set. */
  before: unknown
  now: unknown
}

export interface StepChange {
  step: RunStep
  /** The run before did not have this stage. */
  isNew: boolean
  differences: Difference[]
  /** What the result became; null while there is none to compare. */
  result: 'the same' | 'changed' | null
  /** Names of files that are new, gone or of other content. */
  files: string[]
}

export async function compareRuns(run: Run, before: Run, signal: AbortSignal): Promise<StepChange[]> {
  const changes = run.steps.map(async (step): Promise<StepChange> => {
    const old = before.steps.find(({ stage }) => stage === step.stage)
    const same = { step, isNew: !old?.job_id, differences: [], result: null, files: [] }
    if (!old?.job_id || !step.job_id) return same
    if (old.job_id === step.job_id) return { ...same, result: 'the same' }
    const [now, then] = await Promise.all([read(step, signal), read(old, signal)])
    if (!now || !then) return same
    const differences = [
      ...differencesOf(then.data.research_question, now.data.research_question, ['question']),
      ...differencesOf(then.data.inputs, now.data.inputs, []),
    ]
    if (!now.result || !then.result) return { ...same, differences }
    const files = changedFiles(then, now)
    return { ...same, differences, files, result: files.length > 0 ? 'changed' : 'the same' }
  })
  return Promise.all(changes)
}

/** Null for a job that was deleted or has expired. */
async function read({ stage, job_id }: RunStep, signal: AbortSignal): Promise<JobSnapshot | null> {
  if (!job_id) return null
  const job = { stage, job_id }
  return persist(() => stagecast.status(job, { signal }), signal).catch(() => null)
}

/** Objects member by member; anything else as a whole. */
function differencesOf(before: unknown, now: unknown, path: readonly string[]): Difference[] {
  if (isObject(before) && isObject(now)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
    return names.flatMap((name) => differencesOf(before[name], now[name], [...path, name]))
  }
  return JSON.stringify(before) === JSON.stringify(now) ? [] : [{ path, before, now }]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function changedFiles(before: JobSnapshot, now: JobSnapshot): string[] {
  const hashes = ({ result }: JobSnapshot) =>
    new Map(result?.artifacts.map((name) => [name, result.files?.find((file) => file.name === name)?.sha256]))
  const [old, fresh] = [hashes(before), hashes(now)]
  return [...new Set([...old.keys(), ...fresh.keys()])].filter(
    // A file without a hash may have changed.
    (name) => old.get(name) === undefined || old.get(name) !== fresh.get(name),
  )
}
