/**
 * A person's decisions about papers of a review. They start with those in the job's request and are kept for the tab until
 * applied, so that a reload loses nothing.
 */
import { useState } from 'preact/hooks'
import { type Data, data, text } from '../api/read.ts'

export interface Decision {
  decision: 'include' | 'exclude'
  reason?: string
}
export type Decisions = Readonly<Record<string, Decision>>

export interface Deciding {
  decisions: Decisions
  /** How many decisions differ from those the review was made with. */
  changed: number
  /** Null withdraws a decision. */
  decide(id: string, decision: Decision | null): void
  forget(): void
}

export function useDecisions(job_id: string, inputs: Data): Deciding {
  const given = decisionsOf(inputs.decisions)
  const name = `stagecast.decisions.${job_id}`
  const [decisions, setDecisions] = useState<Decisions>(() => kept(name) ?? given)
  const set = (next: Decisions) => {
    sessionStorage.setItem(name, JSON.stringify(next))
    setDecisions(next)
  }
  const ids = new Set([...Object.keys(given), ...Object.keys(decisions)])
  return {
    decisions,
    changed: [...ids].filter((id) => !same(given[id], decisions[id])).length,
    decide(id, decision) {
      const { [id]: _, ...others } = decisions
      set(decision ? { ...others, [id]: decision } : others)
    },
    forget() {
      sessionStorage.removeItem(name)
      setDecisions(given)
    },
  }
}

function kept(name: string): Decisions | null {
  const stored = sessionStorage.getItem(name)
  return stored === null ? null : decisionsOf(JSON.parse(stored))
}

function decisionsOf(value: unknown): Decisions {
  return Object.fromEntries(
    Object.entries(data(value)).flatMap(([id, one]): [string, Decision][] => {
      const { decision, reason } = data(one)
      if (decision !== 'include' && decision !== 'exclude') return []
      return [[id, { decision, ...(text(reason) && { reason: text(reason) }) }]]
    }),
  )
}

function same(a: Decision | undefined, b: Decision | undefined): boolean {
  return a?.decision === b?.decision && (a?.reason ?? '') === (b?.reason?.trim() ?? '')
}
