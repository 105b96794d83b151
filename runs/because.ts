/** Says in one sentence why a step runs, or why its result is reused. */
import { canonical } from './canonical.ts'
import type { Ingredients, KnownResult } from './result.ts'

const NEVER = 'never run'
export const UNCHANGED = 'nothing changed'

export interface Reasons {
  /** Whether the request asks for a rerun. */
  rerun: boolean
  /** How its newest job ended, if it has no result. */
  lastEnd: string | null
  /** The earlier stage that runs, whose result is not known yet. */
  waitsFor: { stage: number; ranBefore: boolean } | null
}

/** `latest`: the stage's newest result in this workflow, from any inputs. */
export function becauseOf(
  wanted: Ingredients,
  latest: KnownResult | undefined,
  { rerun, lastEnd, waitsFor }: Reasons,
): string {
  if (rerun) return 'a rerun was requested'
  if (!latest) return lastEnd ? `its last job ${lastEnd}` : NEVER
  const changed = changeOf(wanted, latest)
  if (changed) return changed
  if (latest.gone) return 'the files of its last result are gone'
  if (waitsFor) return `stage ${waitsFor.stage} ${waitsFor.ranBefore ? 'runs again' : 'runs'}`
  const upstream = upstreamChangeOf(wanted.upstream, latest.upstream)
  if (upstream) return upstream
  if (latest.decision?.verdict === 'rejected') return 'its last result was rejected'
  return lastEnd ? `its last job ${lastEnd}` : UNCHANGED
}

function changeOf(wanted: Ingredients, latest: KnownResult): string | null {
  if (wanted.research_question !== latest.research_question) return 'research_question changed'
  const input = firstDifference(wanted.inputs, latest.inputs, 'inputs')
  if (input) return `${input} changed`
  if (wanted.version === latest.version) return null
  return `version changed from ${named(latest.version)} to ${named(wanted.version)}`
}

function named(version: string): string {
  return version === '' ? 'none' : version
}

function upstreamChangeOf(
  wanted: Record<string, string>,
  latest: Record<string, string> | null,
): string | null {
  if (!latest) return 'the inputs of its last result are unknown'
  for (const [stage, content] of Object.entries(wanted)) {
    if (!(stage in latest)) return `stage ${stage} is new`
    if (latest[stage] !== content) return `stage ${stage} changed`
  }
  const missing = Object.keys(latest).find((stage) => !(stage in wanted))
  return missing ? `stage ${missing} is no longer used` : null
}

/** The path of the first difference between two values. Objects are compared by member, anything else as a whole. */
function firstDifference(a: unknown, b: unknown, path: string): string | null {
  if (isObject(a) && isObject(b)) {
    for (const name of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
      const found = firstDifference(a[name], b[name], `${path}.${name}`)
      if (found) return found
    }
    return null
  }
  return textOf(a) === textOf(b) ? null : path
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  return value === undefined ? '' : canonical(value)
}
