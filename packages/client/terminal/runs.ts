/** The commands for workflow runs. */
import { randomUUID } from 'node:crypto'
import type { PlanStep, Run, RunReference, RunRequest, WaitingSignOff } from '../index.ts'
import { EXIT, type Options, readNumber, UsageError } from './command.ts'
import { type Commands, type Context, readInputs, STAGES } from './context.ts'
import { fit, plain } from './terminal-text.ts'

type Step = Run['steps'][0]

/** How long one request waits for news, in s. */
const WAIT = 25

export const RUN_COMMANDS: Commands = {
  async 'run-workflow'({ words, options }, context) {
    const { stagecast, output, signal } = context
    const { workflow = randomUUID(), key } = options
    const accepted = await stagecast.runs.start(workflow, toRequest(words, options), {
      idempotencyKey: key,
      signal,
    })
    if (options.detach) {
      const { urls: _, ...named } = accepted
      output.result(named, `${workflow} ${accepted.run_id}`)
      return EXIT.ok
    }
    output.note(`Run ${accepted.run_id} of workflow ${workflow}`)
    return watchRun(accepted, context)
  },

  async plan({ words, options }, { stagecast, output, signal }) {
    const { workflow = randomUUID() } = options
    const plan = await stagecast.runs.plan(workflow, toRequest(words, options), { signal })
    output.result(plan, plan.steps.map(tellPlanStep).join('\n'))
    return EXIT.ok
  },

  async 'sign-off'({ words, options }, { stagecast, output, signal }) {
    const [workflow_id = '', run_id = '', stage] = words
    if (words.length === 0) {
      const page = await stagecast.runs.signOffs({ limit: 100, signal })
      output.result(page, page.sign_offs.map(tellWait).join('\n') || 'Nothing waits for your sign-off.')
      return EXIT.ok
    }
    if (stage === undefined) throw new UsageError('sign-off needs WORKFLOW, RUN and STAGE, or no arguments')
    const { approve, reject, reason } = options
    const digest = approve ?? reject
    if (digest === undefined || (approve !== undefined && reject !== undefined))
      throw new UsageError('sign-off needs either --approve DIGEST or --reject DIGEST')
    const verdict = approve === undefined ? 'rejected' : 'approved'
    const run = await stagecast.runs.signOff(
      { workflow_id, run_id },
      readNumber(stage, 'STAGE', STAGES),
      { verdict, digest, ...(reason !== undefined && { reason }) },
      { signal },
    )
    output.result(run, `Stage ${stage} is ${verdict}. The run is ${run.status}.`)
    if (run.status === 'running') output.note(`To watch it: ${tellWatch(run)}`)
    return EXIT.ok
  },
}

/** Prints each change until the run has ended or waits for a sign-off, and returns the exit code. */
export async function watchRun(run: RunReference, { stagecast, output, signal }: Context): Promise<number> {
  const told = new Map<number, Step>()
  let now = await stagecast.runs.get(run, { signal })
  let before = ''
  try {
    for (;;) {
      const lines = now.steps.flatMap((step) => tellNews(step, told.get(step.stage)))
      for (const step of now.steps) told.set(step.stage, step)
      if (now.status !== before) lines.push(`Run ${now.status}`)
      before = now.status
      output.result(now, lines.join('\n'))
      if (now.status !== 'running' && now.status !== 'cancelling') break
      const { cursor } = now
      do now = await stagecast.runs.get(run, { after: cursor, wait: WAIT, signal })
      while (now.cursor === cursor)
    }
  } finally {
    if (signal.aborted) output.note(`The run is still running. To resume watching: ${tellWatch(run)}`)
  }
  for (const { stage, status, job_id, sign_off } of now.steps)
    if (status === 'awaiting_sign_off') {
      output.note(
        `Stage ${stage} waits for a sign-off. Its files: npm run -s stage -- artifacts ${stage} ${job_id}`,
      )
      output.note(
        `To approve: npm run -s stage -- sign-off ${now.workflow_id} ${now.run_id} ${stage} --approve ${sign_off?.digest}`,
      )
    }
  if (now.status === 'completed' || now.status === 'waiting') return EXIT.ok
  return now.status === 'cancelled' || now.status === 'superseded' ? EXIT.cancelled : EXIT.failed
}

function toRequest(words: readonly string[], { question, inputs, rerun, name }: Options): RunRequest {
  return {
    stages: words.map((word) => readNumber(word, 'STAGE', STAGES)),
    ...(question !== undefined && { research_question: question }),
    ...(inputs !== undefined && { inputs: readInputs(inputs, '{"2": {"max_results": 10}}') as never }),
    ...(rerun !== undefined && { rerun: rerun.map((word) => readNumber(word, '--rerun', STAGES)) }),
    ...(name !== undefined && { name }),
  }
}

function tellPlanStep({ stage, action, because, sign_off }: PlanStep): string {
  const waits =
    sign_off === false ? '' : `, then waits for a sign-off${sign_off === true ? '' : ' if changed'}`
  return `${String(stage).padStart(3)} ${fit(action, 14)} ${plain(because)}${waits}`
}

/** All steps, and the status of the run. */
export function tellRun({ steps, status }: Run): string {
  return [...steps.map(tellStep), `Run ${status}`].join('\n')
}

/** The lines for a step whose status has changed. They say only once why it runs. */
function tellNews(step: Step, before: Step | undefined): string[] {
  if (step.status === before?.status) return []
  return [tellStep(step.because === before?.because ? { ...step, because: '' } : step)]
}

function tellStep({ stage, status, because, error }: Step): string {
  const why = error ? `${error.code}: ${error.message}` : because && `because: ${because}`
  return `${String(stage).padStart(3)} ${fit(status, 17)} ${plain(why)}`.trimEnd()
}

function tellWatch({ workflow_id, run_id }: RunReference): string {
  return `npm run -s stage -- watch ${workflow_id} ${run_id}`
}

function tellWait({ workflow_id, run_id, stage, digest, name }: WaitingSignOff): string {
  return `${workflow_id} ${run_id} ${stage} ${digest} ${plain(name ?? '')}`.trimEnd()
}
