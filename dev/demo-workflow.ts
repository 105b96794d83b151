/** The demo of a workflow: its plan, its stages live, a question at each gate, and the manuscript with its checklist. */
import { randomUUID } from 'node:crypto'
import { join, relative } from 'node:path'
import type { PlanStep, Run, RunStep } from '../contract/run.ts'
import { type RunReference, Stagecast } from '../packages/client/index.ts'
import { progressBar } from '../packages/client/terminal/progress-bar.ts'
import { fit, plain } from '../packages/client/terminal/terminal-text.ts'
import { checklistTable, summaryOf } from './checklist-table.ts'
import { askAtGate, type Gate, gateText } from './demo-gate.ts'
import type { DemoOptions } from './demo-options.ts'

/** The built-in stages. */
const STAGES = [1, 2, 10, 14, 16]
const MANUSCRIPT = 14
const CHECKLIST = 16
const TITLE = 24
const DEFAULT_COLUMNS = 100

/** State that the parts of the demo share. */
interface Walk extends DemoOptions {
  stagecast: Stagecast
  titleOf: (stage: number) => string
  fileOf: (job_id: string | null, name: string) => string
  signal: AbortSignal
}

export async function demoWorkflow(
  base: string,
  dataDir: string,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
  const stagecast = new Stagecast({ baseUrl: base, token: 'test-token' })
  const titles = new Map((await stagecast.stages()).map(({ stage, title }) => [stage, title]))
  const walk: Walk = {
    ...options,
    stagecast,
    signal,
    titleOf: (stage) => titles.get(stage) ?? `stage ${stage}`,
    fileOf: (job_id, name) =>
      relative('', join(dataDir, 'stage-service', 'jobs', job_id ?? '', 'artifacts', name)),
  }
  const workflow = randomUUID()
  const request = { stages: STAGES, research_question: options.question }
  console.log(`Workflow  ${workflow}\n`)
  const plan = await stagecast.runs.plan(workflow, request, { signal })
  console.log(`The plan\n${plan.steps.map((step) => tellPlanned(step, walk)).join('\n')}`)
  const run = await follow(await stagecast.runs.start(workflow, request, { signal }), walk)
  if (run.status === 'rejected') return tellRejected(run, walk)
  if (run.status !== 'completed') throw new Error(howItEnded(run, walk))
  await tellManuscript(run, walk)
  console.log('To see it in a browser, change an option there, and see what runs again:\n')
  console.log(`  STAGECAST_DATA=${relative('', dataDir)} npm run dev`)
  console.log(`  http://127.0.0.1:3001/console/#/workflows/${workflow}`)
}

function tellPlanned({ stage, because, sign_off }: PlanStep, { titleOf }: Walk): string {
  const then = sign_off === false ? '' : ', then waits for your sign-off'
  const why = because === 'never run' ? 'has not run before' : plain(because)
  return `${String(stage).padStart(4)}  ${fit(titleOf(stage), TITLE)}  runs: ${why}${then}`
}

/** Prints what happens until the run ends, and asks where it waits. */
async function follow(started: RunReference, walk: Walk): Promise<Run> {
  const { stagecast, signal, titleOf } = walk
  const bar = progressBar(process.stdout)
  const decided = new Set<number>()
  let shown: number | undefined
  try {
    for await (const event of stagecast.watchWorkflow(started.workflow_id, { signal })) {
      if (event.event === 'run') {
        const run = await stagecast.runs.get(started, { signal })
        // The run may have ended while the stream still shows its last stage.
        if (run.finished_at !== null && event.data.status === run.status) return run
        for (const step of run.steps) {
          if (step.status !== 'awaiting_sign_off' || decided.has(step.stage)) continue
          bar.end()
          decided.add(step.stage)
          await decide(run, step, walk)
        }
      } else if ('attempt' in event.data) {
        const { stage } = event.data
        if (stage !== shown) {
          bar.end()
          console.log(`\nStage ${stage}: ${titleOf(stage)}`)
        }
        shown = stage
        bar.show(event.data)
      }
    }
  } finally {
    bar.end()
  }
  throw new Error('the workflow can no longer be watched')
}

async function decide(run: Run, step: RunStep, { stagecast, approve, signal, titleOf, fileOf }: Walk) {
  const { stage, job_id, sign_off } = step
  if (!job_id || !sign_off) return
  const { result } = await stagecast.status({ stage, job_id }, { signal })
  const gate: Gate = {
    stage,
    title: titleOf(stage),
    results: result?.results ?? {},
    folder: fileOf(job_id, ''),
    files: result?.artifacts ?? [],
  }
  console.log(`\n${gateText(gate, (process.stdout.columns || DEFAULT_COLUMNS) - 1)}`)
  const decision = approve ? { verdict: 'approved' as const } : await askAtGate(signal)
  await stagecast.runs.signOff(run, stage, { ...decision, digest: sign_off.digest }, { signal })
  if (approve) console.log('Approved, because of --approve.')
}

async function tellManuscript(run: Run, { stagecast, fileOf, signal }: Walk): Promise<void> {
  const idOf = (wanted: number) => run.steps.find(({ stage }) => stage === wanted)?.job_id ?? ''
  const read = async (stage: number, name: string): Promise<unknown> =>
    (await stagecast.artifact({ stage, job_id: idOf(stage) }, name, { signal })).json()
  const checklist = await read(CHECKLIST, 'checklist.json')
  console.log(`\n${checklistTable(checklist, (process.stdout.columns || DEFAULT_COLUMNS) - 1)}\n`)
  console.log(`The manuscript  ${fileOf(idOf(MANUSCRIPT), 'manuscript.docx')}`)
  console.log(`                ${fileOf(idOf(MANUSCRIPT), 'manuscript.md')}`)
  console.log(`                ${summaryOf(await read(MANUSCRIPT, 'bindings.json'))}`)
  console.log(`The checklist   ${fileOf(idOf(CHECKLIST), 'checklist.md')}\n`)
}

function tellRejected(run: Run, { titleOf }: Walk): void {
  const step = run.steps.find(({ status }) => status === 'rejected')
  const skipped = run.steps.filter(({ status }) => status === 'skipped').map(({ stage }) => stage)
  console.log(
    `\nYou rejected stage ${step?.stage}, ${titleOf(step?.stage ?? 0)}, so the run has ended` +
      `${skipped.length > 0 ? ` and stage${skipped.length > 1 ? 's' : ''} ${skipped.join(', ')} did not run` : ''}.` +
      '\nA later run of the workflow runs this stage again and reuses the earlier results.',
  )
}

function howItEnded({ status, steps }: Run, { titleOf }: Walk): string {
  const failed = steps.find(({ error }) => error !== null)
  const why = failed?.error
    ? `: stage ${failed.stage}, ${titleOf(failed.stage)}: ${failed.error.code} ${plain(failed.error.message)}`
    : ''
  return `the run ended as ${status}${why}`
}
