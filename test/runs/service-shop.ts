/** A workflow with stages at two services; 2 and 3 are in Python (given.py). The test sets the results. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { PlanStep, Run } from '../../contract/run.ts'
import { StageError, type StageJob, Stages } from '../../packages/stage-kit/index.ts'
import type { RunRequest } from '../../runs/request.ts'
import { startApi, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { startPython } from '../helpers/python-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { type Shop, STAGES } from './reuse-cases.ts'
import { Runs } from './scene.ts'

const IN_PYTHON = [2, 3]

export interface Mall {
  /** The folder with a file per workflow in which the test sets results, and one in which stages record that they ran. */
  told: string
  /** The API for a catalogue with these versions. */
  open(versions: ReadonlyMap<number, string>): Promise<string>
}

export async function openMall(t: Test): Promise<Mall> {
  const told = await mkdtemp(join(tmpdir(), 'stagecast-told-'))
  t.teardown(() => rm(told, { recursive: true, force: true }))
  const python = await startPython(t, 'given:stages', {
    ...{ STAGE_DATA_DIR: join(told, 'python'), TOLD_DIR: told },
  })
  const stages = new Stages({ data: join(told, 'node') })
  for (const { stage } of STAGES) if (!IN_PYTHON.includes(stage)) stages.stage(stage, {}, give)
  const node = await stages.listen({ port: 0 })
  t.teardown(() => node.close())
  const env = await testEnv(t)
  let now: { key: string; url: string; worker: ReturnType<typeof startWorker> } | undefined

  async function give(job: StageJob) {
    await appendFile(join(told, `${job.workflowId}.ran`), `${job.stage}\n`)
    const { gives, fails } = JSON.parse(await readFile(join(told, `${job.workflowId}.json`), 'utf8'))
    if (fails.includes(job.stage)) throw new StageError('BROKEN', 'broken')
    return { given: gives[job.stage] ?? { stage: job.stage, inputs: job.inputs } }
  }

  return {
    told,
    async open(versions) {
      const key = JSON.stringify([...versions])
      if (now?.key === key) return now.url
      // A worker uses its own catalogue, so only one worker runs at a time.
      await now?.worker.close(1000)
      const entries = STAGES.map((one) => ({
        ...one,
        service: IN_PYTHON.includes(one.stage) ? 'python' : 'node',
        version: versions.get(one.stage) ?? '',
      }))
      const services = { node: { url: node.url }, python: { url: python } }
      const own = { ...env, STAGES_FILE: await stagesFile(t, entries, services) }
      const { url } = await startApi(t, own)
      now = { key, url, worker: startWorker(t, own) }
      return url
    },
  }
}

export class ServiceShop implements Shop {
  readonly gives = new Map<number, unknown>()
  readonly fails = new Set<number>()
  readonly versions = new Map<number, string>()
  readonly ran: number[] = []
  run: Run | null = null
  private readonly mall: Mall
  private url = ''
  private readonly runs = new Runs(() => this.url)
  private heard = 0

  constructor(mall: Mall) {
    this.mall = mall
  }

  async plan(request: RunRequest): Promise<PlanStep[]> {
    await this.open()
    const { body } = await this.runs.send('/runs?plan=true', request)
    return body.steps as unknown as PlanStep[]
  }

  async post(request: RunRequest): Promise<null> {
    await this.open()
    const { run_id } = await this.runs.post(request)
    await this.follow(run_id, ({ status }) => status !== 'running')
    return null
  }

  async sign(stage: number, verdict: 'approved' | 'rejected'): Promise<string> {
    const { run } = this
    if (!run) return 'no run'
    const reason = verdict === 'rejected' ? { reason: 'not good' } : {}
    const { status, body } = await this.runs.sign(run, stage, verdict, reason)
    if (status !== 200) return body.code ?? String(status)
    const waits = (now: Run) => now.steps.some((one) => one.status === 'awaiting_sign_off')
    await this.follow(run.run_id, (now) => now.status !== 'running' && !waits(now))
    return 'decided'
  }

  private async open(): Promise<void> {
    this.url = await this.mall.open(this.versions)
    const what = { gives: Object.fromEntries(this.gives), fails: [...this.fails] }
    await writeFile(join(this.mall.told, `${this.runs.workflow}.json`), JSON.stringify(what))
  }

  private async follow(id: string, enough: (run: Run) => boolean): Promise<void> {
    const read = async () => {
      const run = await this.runs.read(id)
      return enough(run) ? run : null
    }
    this.run = await eventually('the run waits or has ended', read, 120_000)
    const path = join(this.mall.told, `${this.runs.workflow}.ran`)
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n').map(Number)
    this.ran.push(...lines.slice(this.heard))
    this.heard = lines.length
  }
}
