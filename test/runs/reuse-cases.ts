/** A table of cases: what is reused, what runs again, and what plan and steps say about it. */
import type { Test } from 'tap'
import type { PlanStep } from '../../contract/run.ts'
import type { RunRequest } from '../../runs/request.ts'

type Later<T> = T | Promise<T>

/** A workflow of these five stages. Its jobs run in memory or at services; a case does not depend on which. */
export interface Shop {
  /** Results by stage; by default a result is derived from the inputs. */
  readonly gives: Map<number, unknown>
  readonly fails: Set<number>
  readonly versions: Map<number, string>
  plan(request: RunRequest): Later<PlanStep[]>
  /** Advances the run until it waits or has ended. Returns null, or the needs that are not met. */
  post(request: RunRequest): Later<unknown>
  sign(stage: number, verdict: 'approved' | 'rejected'): Later<unknown>
  /** The newest run. */
  readonly run: {
    status: string
    steps: readonly { stage: number; status: string; because: string }[]
  } | null
  /** The stages in the order in which their jobs ran. */
  readonly ran: number[]
}

/** 1 and 2 come first; 3 needs both and is a gate; 4 needs 3 and uses 1; 5 uses 2. */
export const STAGES = [
  { stage: 1 },
  { stage: 2 },
  { stage: 3, needs: [1, 2], sign_off: true },
  { stage: 4, needs: [3], uses: [1] },
  { stage: 5, uses: [2] },
]
export const ALL: RunRequest = { stages: [1, 2, 3, 4, 5], inputs: { 1: { from: 2000, deep: { a: 1 } } } }
const asked = (more: Partial<RunRequest>): RunRequest => ({ ...ALL, ...more })

export interface Case {
  name: string
  /** What happens between a complete, approved run and the request. */
  before?: (shop: Shop) => unknown
  ask: RunRequest
  /** By stage: `<action>: <because>`, and whether the gate will wait. */
  plan: Record<number, string>
  gate?: boolean | 'if_changed'
  /** Stages whose jobs run, and the status of the run afterwards. */
  runs: number[]
  status: string
}

const REUSE = 'reuse: nothing changed'
const KEPT = { 1: REUSE, 2: REUSE, 3: REUSE, 4: REUSE, 5: REUSE }
const AFTER_1 = { 3: 'run_if_changed: stage 1 runs again', 4: 'run_if_changed: stage 3 runs again' }

/** Stage 1 gives another result from now on. */
const other = (stage: number) => (shop: Shop) => void shop.gives.set(stage, 'something else')

export const CASES: Case[] = [
  { name: 'the same again', ask: ALL, plan: KEPT, gate: false, runs: [], status: 'completed' },
  {
    name: 'members in another order',
    ask: asked({ inputs: { 1: { deep: { a: 1 }, from: 2000 } } }),
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
  {
    name: 'empty inputs are as none',
    ask: asked({ inputs: { ...ALL.inputs, 2: {} } }),
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
  {
    name: 'another name of the run',
    ask: asked({ name: 'second' }),
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
  {
    name: 'an input that changes what comes out',
    ask: asked({ inputs: { 1: { from: 2001, deep: { a: 1 } } } }),
    plan: { ...KEPT, 1: 'run: inputs.from changed', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1, 3, 4],
    status: 'completed',
  },
  {
    name: 'an input that changes nothing',
    before: (shop) => void shop.gives.set(1, { stage: 1, inputs: ALL.inputs?.[1] }),
    ask: asked({ inputs: { 1: { from: 2001, deep: { a: 1 } } } }),
    plan: { ...KEPT, 1: 'run: inputs.from changed', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1],
    status: 'completed',
  },
  {
    name: 'an input far inside',
    ask: asked({ inputs: { 1: { from: 2000, deep: { a: 2 } } } }),
    plan: { ...KEPT, 1: 'run: inputs.deep.a changed', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1, 3, 4],
    status: 'completed',
  },
  {
    name: 'an input that is gone',
    ask: asked({ inputs: { 1: { deep: { a: 1 } } } }),
    plan: { ...KEPT, 1: 'run: inputs.from changed', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1, 3, 4],
    status: 'completed',
  },
  {
    name: 'an input of the last stage',
    ask: asked({ inputs: { ...ALL.inputs, 4: { style: 'apa' } } }),
    plan: { ...KEPT, 4: 'run: inputs.style changed' },
    gate: false,
    runs: [4],
    status: 'completed',
  },
  {
    name: 'another question',
    ask: asked({ research_question: 'What else is there to be asked?' }),
    plan: {
      1: 'run: research_question changed',
      2: 'run: research_question changed',
      3: 'run_if_changed: research_question changed',
      4: 'run_if_changed: research_question changed',
      5: 'run_if_changed: research_question changed',
    },
    // The digest is the same, so the approval is kept.
    gate: 'if_changed',
    runs: [1, 2, 3, 4, 5],
    status: 'completed',
  },
  {
    name: 'another version of a stage',
    before: (shop) => void shop.versions.set(2, '7'),
    ask: ALL,
    plan: {
      ...KEPT,
      2: 'run: version changed from none to 7',
      3: 'run_if_changed: stage 2 runs again',
      4: 'run_if_changed: stage 3 runs again',
      5: 'run_if_changed: stage 2 runs again',
    },
    gate: 'if_changed',
    runs: [2],
    status: 'completed',
  },
  {
    name: 'a rerun that gives the same',
    ask: asked({ rerun: [1] }),
    plan: { ...KEPT, 1: 'run: a rerun was requested', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1],
    status: 'completed',
  },
  {
    name: 'a rerun that gives something else',
    before: other(1),
    ask: asked({ rerun: [1] }),
    plan: { ...KEPT, 1: 'run: a rerun was requested', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1, 3, 4],
    status: 'completed',
  },
  {
    name: 'a rerun before a gate whose content then changes',
    before: async (shop) => {
      other(1)(shop)
      other(3)(shop)
    },
    ask: asked({ rerun: [1] }),
    plan: { ...KEPT, 1: 'run: a rerun was requested', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1, 3],
    status: 'waiting',
  },
  {
    name: 'a rerun of the gate voids its approval, whatever it gives',
    ask: asked({ rerun: [3] }),
    plan: { ...KEPT, 3: 'run: a rerun was requested', 4: 'run_if_changed: stage 3 runs again' },
    gate: true,
    runs: [3],
    status: 'waiting',
  },
  {
    name: 'after a voided approval nothing is approved',
    before: (shop) => shop.post(asked({ rerun: [3] })),
    ask: ALL,
    plan: KEPT,
    gate: true,
    runs: [],
    status: 'waiting',
  },
  {
    name: 'a rerun of the last stage',
    ask: asked({ rerun: [5] }),
    plan: { ...KEPT, 5: 'run: a rerun was requested' },
    gate: false,
    runs: [5],
    status: 'completed',
  },
  {
    name: 'an earlier request finds its own results again',
    before: (shop) => shop.post(asked({ inputs: { 1: { from: 1990 } } })),
    ask: ALL,
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
  {
    name: 'only the last stage: what it needs was completed',
    ask: { stages: [4] },
    plan: { 4: REUSE },
    runs: [],
    status: 'completed',
  },
  {
    name: 'only the first stage',
    ask: { stages: [1], inputs: ALL.inputs },
    plan: { 1: REUSE },
    runs: [],
    status: 'completed',
  },
  {
    name: 'a stage behind a given result that has changed',
    before: async (shop) => {
      other(2)(shop)
      await shop.post({ stages: [2], rerun: [2] })
    },
    ask: { stages: [5] },
    plan: { 5: 'run: stage 2 changed' },
    runs: [5],
    status: 'completed',
  },
  {
    name: 'a gate behind a given result that has changed keeps its approval while it gives the same',
    before: async (shop) => {
      other(2)(shop)
      await shop.post({ stages: [2], rerun: [2] })
    },
    ask: { stages: [3] },
    plan: { 3: 'run: stage 2 changed' },
    gate: 'if_changed',
    runs: [3],
    status: 'completed',
  },
  {
    name: 'a rejected result is made again, and waits again with the same digest',
    before: async (shop) => {
      await shop.post(asked({ rerun: [3] }))
      await shop.sign(3, 'rejected')
    },
    ask: ALL,
    plan: { ...KEPT, 3: 'run: its last result was rejected', 4: 'run_if_changed: stage 3 runs again' },
    gate: true,
    runs: [3],
    status: 'waiting',
  },
  {
    name: 'what failed runs again, and what stood behind it',
    before: async (shop) => {
      shop.fails.add(1)
      await shop.post(asked({ rerun: [1] }))
      shop.fails.clear()
    },
    ask: ALL,
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
  {
    name: 'a failed version is gone on with',
    before: async (shop) => {
      shop.fails.add(1)
      await shop.post(asked({ inputs: { 1: { from: 1980 } } }))
      shop.fails.clear()
    },
    ask: asked({ inputs: { 1: { from: 1980 } } }),
    plan: { ...KEPT, 1: 'run: inputs.deep changed', ...AFTER_1 },
    gate: 'if_changed',
    runs: [1, 3, 4],
    status: 'completed',
  },
  {
    name: 'an undecided gate waits on',
    before: async (shop) => {
      other(3)(shop)
      await shop.post(asked({ rerun: [3] }))
    },
    ask: ALL,
    plan: { ...KEPT, 4: 'run: stage 3 changed' },
    gate: true,
    runs: [],
    status: 'waiting',
  },
  {
    name: 'a rerun of both first stages that gives the same',
    ask: asked({ rerun: [1, 2] }),
    plan: {
      1: 'run: a rerun was requested',
      2: 'run: a rerun was requested',
      ...AFTER_1,
      5: 'run_if_changed: stage 2 runs again',
    },
    gate: 'if_changed',
    runs: [1, 2],
    status: 'completed',
  },
  {
    name: 'an input of the gate that changes what comes out',
    ask: asked({ inputs: { ...ALL.inputs, 3: { strict: true } } }),
    plan: { ...KEPT, 3: 'run: inputs.strict changed', 4: 'run_if_changed: stage 3 runs again' },
    gate: 'if_changed',
    runs: [3],
    status: 'waiting',
  },
  {
    name: 'a list in another order is another input',
    before: (shop) => shop.post(asked({ inputs: { ...ALL.inputs, 5: { by: ['a', 'b'] } } })),
    ask: asked({ inputs: { ...ALL.inputs, 5: { by: ['b', 'a'] } } }),
    plan: { ...KEPT, 5: 'run: inputs.by changed' },
    gate: false,
    runs: [5],
    status: 'completed',
  },
  {
    name: 'a version that was taken back finds its own results again',
    before: async (shop) => {
      shop.versions.set(2, '7')
      await shop.post(ALL)
      shop.versions.delete(2)
    },
    ask: ALL,
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
  {
    name: 'a gate whose new content was approved',
    before: async (shop) => {
      other(3)(shop)
      await shop.post(asked({ rerun: [3] }))
      await shop.sign(3, 'approved')
    },
    ask: ALL,
    plan: KEPT,
    gate: false,
    runs: [],
    status: 'completed',
  },
]

/** Runs a case on a new workflow. */
export async function play(t: Test, shop: Shop, { before, ask, plan, gate, runs, status }: Case) {
  const statuses = () => Object.fromEntries((shop.run?.steps ?? []).map((step) => [step.stage, step.status]))
  await shop.post(ALL)
  t.same(statuses(), {
    1: 'completed',
    2: 'completed',
    3: 'awaiting_sign_off',
    4: 'pending',
    5: 'completed',
  })
  t.equal(await shop.sign(3, 'approved'), 'decided')
  t.equal(shop.run?.status, 'completed')
  await before?.(shop)
  const planned = await shop.plan(ask)
  t.match(Object.fromEntries(planned.map((one) => [one.stage, `${one.action}: ${one.because}`])), plan)
  if (gate !== undefined) t.equal(planned.find(({ stage }) => stage === 3)?.sign_off, gate)
  shop.ran.length = 0
  t.equal(await shop.post(ask), null)
  t.same(shop.ran.toSorted(), runs)
  t.equal(shop.run?.status, status)
  for (const step of shop.run?.steps ?? []) {
    const { stage, because } = step
    const said = planned.find((one) => one.stage === stage)
    if (step.status === 'pending') t.equal(because, '', 'it is not known yet')
    else if (said?.action !== 'run_if_changed')
      t.equal(because, said?.because, 'the step says what the plan said')
    else if (!runs.includes(stage)) t.equal(because, 'nothing changed')
    else t.match(because, /^(stage \d+|research_question) changed$/)
  }
}
