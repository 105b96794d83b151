/** Stages as functions, and the service that runs them. */
import { compileInputs } from '../../contract/inputs.ts'
import type { StageRequest } from '../../contract/service.ts'
import { buildStageService, type StageServiceOptions } from './app.ts'
import { type Stage, StageFailure, type StageTable } from './stage.ts'
import { Cancelled, StageJob } from './stage-job.ts'
import { type Address, listen, type StageService } from './start.ts'

/** A step: percent, and what was done. */
type Step = readonly [percent: number, message: string]
// biome-ignore lint/suspicious/noConfusingVoidType: a function without a return is one too
type Result = Record<string, unknown> | undefined | void

/** What a stage does: a function, or a generator whose steps are its progress. It returns the results. */
export type StageFunction<Inputs> = (
  job: StageJob<Inputs>,
) => Result | Promise<Result> | Generator<Step, Result, unknown> | AsyncGenerator<Step, Result, unknown>

export interface StageOptions<Inputs> {
  /** Change it whenever the same inputs would give other files. */
  version?: string
  /** A JSON Schema (2020-12) of the inputs, or a function that gives what the stage works with, and throws for bad ones. */
  inputs?: object | ((inputs: Record<string, unknown>) => Inputs)
}

export interface StagesOptions extends Omit<StageServiceOptions, 'stages' | 'dataDir' | 'sweep'> {
  /** Where files and finished jobs are kept; made when missing. */
  data: string
}

/** An error that the user is told about. `retryable`: another attempt may go better. */
export class StageError extends StageFailure {
  constructor(code: string, message: string, retryable = false) {
    super(retryable ? 503 : 422, code, message, retryable)
  }
}

export class Stages {
  private readonly options: StagesOptions
  private readonly known = new Map<number, Stage>()
  private readonly schemas = new Map<number, object>()

  constructor(options: StagesOptions) {
    this.options = options
  }

  /** Adds a stage. Throws a TypeError for a number that is none or is taken, and for a bad schema. */
  stage<Inputs = Record<string, unknown>>(
    number: number,
    options: StageOptions<Inputs>,
    run: StageFunction<Inputs>,
  ): this {
    if (!Number.isInteger(number) || number < 1 || number > 999)
      throw new TypeError(`A stage has a number from 1 to 999, not ${number}`)
    if (this.known.has(number)) throw new TypeError(`There are two stages ${number}`)
    const { version, inputs } = options
    const read = readerOf<Inputs>(number, inputs)
    if (typeof inputs === 'object') this.schemas.set(number, inputs)
    this.known.set(number, {
      ...(version !== undefined && { version }),
      validate: (request) => void read(request),
      async run(request, work) {
        const job = new StageJob(number, request, read(request), work)
        const results = (await follow(run(job), job)) ?? {}
        return { artifacts: await job.files(), results }
      },
    })
    return this
  }

  /** The stages by number, for a service that adds others to them. */
  get table(): StageTable {
    return this.known
  }

  /** What stands for these stages in a STAGES_FILE. */
  describe(): { stages: object[] } {
    const stages = [...this.known].map(([stage, { version }]) => {
      const inputs = this.schemas.get(stage)
      const named = { stage, slug: `stage-${stage}`, title: `Stage ${stage}` }
      return { ...named, ...(version !== undefined && { version }), ...(inputs && { inputs }) }
    })
    return { stages }
  }

  /** The service without a listener: a Fastify application. */
  build() {
    const { data, ...options } = this.options
    return buildStageService({ ...options, dataDir: data, stages: this.known })
  }

  /** Starts the service; port 0 takes a free one. */
  async listen({ host = '127.0.0.1', port = 8000 }: Partial<Address> = {}): Promise<StageService> {
    return listen(await this.build(), { host, port })
  }
}

function readerOf<Inputs>(number: number, inputs: StageOptions<Inputs>['inputs']) {
  const compiled = typeof inputs === 'object' ? compileInputs(inputs) : null
  if (compiled && 'faults' in compiled) {
    const faults = compiled.faults.map(({ pointer, message }) => `${pointer || '/'} ${message}`).join('; ')
    throw new TypeError(`The inputs of stage ${number}: ${faults}`)
  }
  return (request: StageRequest): Inputs => {
    const [fault] = compiled?.check(request.inputs) ?? []
    if (fault) throw invalid(`inputs${fault.instancePath} ${fault.message}`)
    if (typeof inputs !== 'function') return request.inputs as Inputs
    try {
      return (inputs as (given: Record<string, unknown>) => Inputs)(request.inputs)
    } catch (error) {
      throw error instanceof StageFailure ? error : invalid((error as Error).message)
    }
  }
}

function invalid(what: string): StageFailure {
  return new StageFailure(422, 'INVALID_INPUTS', `${what}.`)
}

/** Runs a generator step by step; whatever else came is the result, or its promise. */
async function follow<Inputs>(
  begun: ReturnType<StageFunction<Inputs>>,
  job: StageJob<Inputs>,
): Promise<Result> {
  if (!isGenerator(begun)) return begun
  for (let step = await begun.next(); ; step = await begun.next()) {
    if (step.done) return step.value
    const [percent, message] = step.value
    try {
      await job.progress(percent, message)
    } catch (error) {
      // The generator may clean up, and is told why at the `yield` where it stands.
      if (error instanceof Cancelled) await begun.throw(error)
      throw error
    }
  }
}

function isGenerator(
  value: unknown,
): value is Generator<Step, Result, unknown> | AsyncGenerator<Step, Result, unknown> {
  return typeof value === 'object' && value !== null && 'next' in value && 'throw' in value
}
