/** What a worker process needs to run the jobs of each stage: a gate, and a client for the service. */
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Job } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Catalogue } from '../contract/catalogue.ts'
import type { WorkerState } from '../contract/fleet.ts'
import { JobData } from '../contract/job.ts'
import type { Tracing } from '../contract/tracing.ts'
import { openFetch, type ProxySettings } from '../outgoing/outgoing.ts'
import type { AttemptOptions } from './attempt.ts'
import type { CircuitState } from './circuit.ts'
import { hashedFiles } from './files.ts'
import { frontWriter } from './front.ts'
import { Gate } from './gate.ts'
import { StageClient } from './stage-client.ts'
import { UpstreamReader } from './upstream.ts'
import { Versions } from './versions.ts'

export interface WorkerStagesOptions
  extends Pick<AttemptOptions, 'redis' | 'keys' | 'resultTtlSeconds' | 'workflowTtlSeconds'> {
  catalogue: Catalogue
  /** How many jobs the process runs side by side. */
  concurrency: number
  /** Limits for stages that set none. */
  stageTimeoutMs: number
  silenceMs: number
  breakerFailures: number
  breakerResetMs: number
  maxResultBytes: number
  proxy: ProxySettings
  tracing: Tracing
  log: FastifyBaseLogger
  /** Returns a delayed job to waiting; false if it is no longer delayed. */
  callBack(jobId: string): Promise<boolean>
  onCircuit(): void
}

export interface WorkerStage {
  gate: Gate
  client: StageClient
  /** For attempts at its jobs. */
  options: Omit<AttemptOptions, 'token'>
}

/** How much longer than the longest call to keep a log without news, in seconds. */
const LOG_SPARE_SECONDS = 86_400
const jobData = TypeCompiler.Compile(JobData)
/** For a stage without a service, which is never called. */
const UNKNOWN = 'http://unknown.invalid'

export class WorkerStages {
  private readonly met = new Map<number, WorkerStage>()
  private readonly options: WorkerStagesOptions
  private readonly upstream: UpstreamReader
  private readonly outgoing: ReturnType<typeof openFetch>
  private readonly versions: Versions

  constructor(options: WorkerStagesOptions) {
    this.options = options
    this.outgoing = openFetch(options.proxy)
    const { fetch } = this.outgoing
    this.versions = new Versions(fetch)
    this.upstream = new UpstreamReader(options.redis, options.keys, options.catalogue, fetch)
  }

  /** The stage of a job. A manually added job may have invalid data. It may start, and then fails as `INVALID_JOB`. */
  of(job: Pick<Job<JobData>, 'id' | 'data'>): WorkerStage {
    const { stage: number } = Object(job.data) as JobData
    const isJob = () => jobData.Check({ ...job.data, job_id: job.id })
    const stage = this.options.catalogue.get(number) || isJob() ? number : 0
    const known = this.met.get(stage) ?? this.open(stage)
    this.met.set(stage, known)
    return known
  }

  /** All circuits that are not closed, and the worst state among them. */
  circuits(): Pick<WorkerState, 'circuit' | 'circuits'> {
    const circuits = [...this.met]
      .flatMap(([stage, { gate }]) => {
        const { state } = gate.circuit
        return state === 'closed' ? [] : [{ stage, state }]
      })
      .sort((a, b) => a.stage - b.stage)
    const isOpen = circuits.some(({ state }) => state === 'open')
    return { circuit: isOpen ? 'open' : (circuits[0]?.state ?? 'closed'), circuits }
  }

  stop(): void {
    for (const { gate } of this.met.values()) gate.stop()
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.outgoing, ...[...this.met.values()].map(({ client }) => client)].map((one) => one.close()),
    )
  }

  private open(stage: number): WorkerStage {
    const { catalogue, log, redis, keys, resultTtlSeconds, workflowTtlSeconds, tracing, ...options } =
      this.options
    const limits = catalogue.get(stage)?.limits ?? {}
    const isKnown = stage === 0 || catalogue.get(stage) !== undefined
    if (!isKnown) log.warn({ stage }, 'unknown stage: its jobs wait for another worker')
    const gate = new Gate({
      places: isKnown ? this.placesFor(limits.concurrency) : 0,
      breakerFailures: limits.breaker_failures ?? options.breakerFailures,
      breakerResetMs: options.breakerResetMs,
      callBack: options.callBack,
      onFront: frontWriter(redis, keys.fronts(stage), log),
      onCircuit: (state: CircuitState) => {
        log.warn({ stage, state }, 'the circuit of a stage changed state')
        options.onCircuit()
      },
    })
    const service = catalogue.serviceOf(stage)
    const { url = UNKNOWN, headers = {} } = service ?? {}
    const timeoutMs = limits.timeout_ms ?? options.stageTimeoutMs
    const client = new StageClient({
      url,
      headers,
      timeoutMs,
      tracing,
      proxy: options.proxy,
      silenceMs: limits.heartbeat_timeout_ms ?? options.silenceMs,
      maxResultBytes: options.maxResultBytes,
    })
    return {
      gate,
      client,
      options: {
        redis,
        keys,
        client,
        tracing,
        resultTtlSeconds,
        workflowTtlSeconds,
        isRunCancelled: async (runId) => (await redis.hexists(keys.own('run', runId), 'cancelled')) === 1,
        upstream: (job, signal) => this.upstream.read(job, signal),
        explain: (...failed) => this.upstream.explain(...failed),
        hashedFiles: async (jobId, result, signal) =>
          service ? hashedFiles({ fetch: this.outgoing.fetch, service, stage, jobId }, result, signal) : [],
        version: async () => (await this.versions.of(stage, service)) ?? catalogue.get(stage)?.version ?? '',
        logTtlSeconds: Math.ceil(timeoutMs / 1000) + resultTtlSeconds + LOG_SPARE_SECONDS,
        onAlive: () => gate.circuit.alive(),
        isCircuitOpen: () => gate.circuit.state !== 'closed',
      },
    }
  }

  /** Leaves one slot to the other stages, if there are any. */
  private placesFor(limit = Number.POSITIVE_INFINITY): number {
    const { concurrency, catalogue } = this.options
    const kept = concurrency > 1 && catalogue.stages.length > 1 ? 1 : 0
    return Math.min(limit, concurrency - kept)
  }
}
