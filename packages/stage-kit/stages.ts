/** Stages as functions, and the service that runs them. */
import closeWithGrace from 'close-with-grace'
import type { StageEntry } from '../../contract/catalogue-file.ts'
import { compileInputs } from '../../contract/inputs.ts'
import type { StageRequest } from '../../contract/service.ts'
import { buildStageService, GRACE_MS, type StageServiceOptions } from './app.ts'
import { follow, type StageFunction } from './follow.ts'
import { type Stage, StageFailure, type StageTable } from './stage.ts'
import { StageJob } from './stage-job.ts'
import { type Address, listen, type StageService } from './start.ts'
import type { UpstreamHeaders } from './upstream.ts'

/** Version, inputs, and the other fields of the stage in a STAGES_FILE, which `describe` returns. */
export interface StageOptions<Inputs> extends Partial<Omit<StageEntry, 'stage' | 'version' | 'inputs'>> {
  /** Change it whenever the same inputs would give other files. */
  version?: string
  /** A JSON Schema (2020-12) of the inputs, or a function that converts them and throws if they are invalid. */
  inputs?: object | ((inputs: Record<string, unknown>) => Inputs)
}

export interface StagesOptions extends Omit<StageServiceOptions, 'stages' | 'dataDir' | 'sweep'> {
  /** The folder for files and finished jobs; created if missing. */
  data: string
  /** Headers that other services require for their files, by origin: `{ 'https://stages.example': { authorization } }`. */
  upstreamHeaders?: UpstreamHeaders
}

/** An error shown to the user. `retryable`: another attempt may succeed. */
export class StageError extends StageFailure {
  constructor(code: string, message: string, retryable = false) {
    super(retryable ? 503 : 422, code, message, retryable)
  }
}

export class Stages {
  private readonly options: StagesOptions
  private readonly known = new Map<number, Stage>()
  private readonly entries = new Map<number, object>()

  constructor(options: StagesOptions) {
    this.options = options
  }

  /** Adds a stage. Throws a TypeError for an invalid or duplicate number, and for a bad schema. */
  stage<Inputs = Record<string, unknown>>(
    number: number,
    options: StageOptions<Inputs>,
    run: StageFunction<Inputs>,
  ): this {
    if (!Number.isInteger(number) || number < 1 || number > 999)
      throw new TypeError(`A stage's number must be from 1 to 999, not ${number}`)
    if (this.known.has(number)) throw new TypeError(`Stage ${number} is already defined`)
    const { version, inputs, ...entry } = options
    const read = readerOf<Inputs>(number, inputs)
    const headers = this.options.upstreamHeaders ?? {}
    this.entries.set(number, {
      stage: number,
      slug: `stage-${number}`,
      title: `Stage ${number}`,
      ...entry,
      ...(version !== undefined && { version }),
      ...(typeof inputs === 'object' && { inputs }),
    })
    this.known.set(number, {
      ...(version !== undefined && { version }),
      validate: (request) => void read(request),
      async run(request, work) {
        const job = new StageJob(number, request, read(request), work, headers)
        const results = (await follow(run(job), job)) ?? {}
        return { artifacts: await job.files(), results }
      },
    })
    return this
  }

  /** The stages by number, for a service that adds more. */
  get table(): StageTable {
    return this.known
  }

  /** The entries of these stages for a STAGES_FILE. */
  describe(): { stages: object[] } {
    return { stages: [...this.entries.values()] }
  }

  /** The service as a Fastify application, not yet listening. */
  build() {
    const { data, upstreamHeaders: _, ...options } = this.options
    return buildStageService({ ...options, dataDir: data, stages: this.known })
  }

  /** Starts the service; port 0 picks a free one. */
  async listen({ host = '127.0.0.1', port = 8000 }: Partial<Address> = {}): Promise<StageService> {
    return listen(await this.build(), { host, port })
  }

  /** Listens, and ends the process on SIGTERM or SIGINT, after running jobs have had `graceMs` to finish. */
  async serve(address: Partial<Address> = {}): Promise<StageService> {
    const service = await this.listen(address)
    // Longer than the service's own grace period.
    const delay = (this.options.graceMs ?? GRACE_MS) + 5_000
    closeWithGrace({ delay, logger: false }, async ({ err }) => {
      if (err) process.stderr.write(`stage service: ${err.stack ?? err}\n`)
      await service.close()
    })
    return service
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
