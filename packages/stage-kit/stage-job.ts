/** The job object that a stage function receives. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Value } from '@sinclair/typebox/value'
import { ArtifactName, type StageRequest } from '../../contract/service.ts'
import { StageFailure, type Work } from './stage.ts'
import { type UpstreamHeaders, UpstreamStage } from './upstream.ts'

/** Thrown at the next step of a job for which no caller waits any more, or whose service is closing. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

export class StageJob<Inputs = Record<string, unknown>> {
  readonly id: string
  readonly stage: number
  readonly workflowId: string
  readonly userId: string
  readonly runId: string | null
  readonly question: string | null
  readonly inputs: Inputs
  /** The available results of the stages that this one needs or uses, by number. */
  readonly upstream: Readonly<Record<number, UpstreamStage>>
  /** Aborted when the work must stop. */
  readonly signal: AbortSignal
  /** Files written here become artifacts too. */
  readonly dir: string
  private readonly work: Work
  private readonly written = new Set<string>()

  constructor(
    stage: number,
    request: StageRequest,
    inputs: Inputs,
    work: Work,
    headers: UpstreamHeaders = {},
  ) {
    this.id = request.job_id
    this.stage = stage
    this.workflowId = request.workflow_id
    this.userId = request.user_id
    this.runId = request.run_id ?? null
    this.question = request.research_question
    this.inputs = inputs
    this.signal = work.signal
    this.dir = work.dir
    this.work = work
    this.upstream = Object.fromEntries(
      Object.entries(request.upstream ?? {}).map(([number, one]) => [
        number,
        new UpstreamStage(one, work.signal, headers),
      ]),
    )
  }

  get cancelled(): boolean {
    return this.signal.aborted
  }

  /** Reports progress, 0 to 100. Throws `Cancelled` if the work must stop. */
  async progress(percent: number, message: string): Promise<void> {
    this.goOn()
    if (!(percent >= 0 && percent <= 100) || typeof message !== 'string') {
      const words = 'A step is a percentage from 0 to 100 and a text.'
      throw new StageFailure(500, 'STAGE_PROGRESS_INVALID', words, false)
    }
    await this.work.progress(percent, message).catch((error) => {
      this.goOn()
      throw error
    })
  }

  /** Writes an artifact. A job's files become visible together, and only if it succeeds. */
  async write(name: string, content: string | Uint8Array | Readable): Promise<void> {
    this.goOn()
    if (!Value.Check(ArtifactName, name))
      throw new TypeError(`${JSON.stringify(name)} is not a bare file name`)
    await writeFile(join(this.dir, name), content, { flush: true, signal: this.signal }).catch((error) => {
      this.goOn()
      throw error
    })
    this.written.add(name)
  }

  /** The names of all files; those written by `write` come first, in order. */
  async files(): Promise<string[]> {
    const others = (await readdir(this.dir)).filter((name) => !this.written.has(name))
    return [...this.written, ...others.sort()]
  }

  private goOn(): void {
    if (this.cancelled) throw new Cancelled('the job was cancelled, or the service is closing')
  }
}
