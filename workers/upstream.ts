/** The results of earlier stages that a stage needs or uses. They are read for each call and not kept. */
import type { Redis } from 'ioredis'
import type { Catalogue, Service } from '../contract/catalogue.ts'
import type { JobData, JobResult, JobSnapshot } from '../contract/job.ts'
import type { StageFile, Upstream } from '../contract/service.ts'
import type { JournalKeys } from '../journal/journal.ts'
import { newestResults } from '../journal/upstream.ts'
import type { Fetch } from '../outgoing/outgoing.ts'
import { upstreamOfRun } from '../runs/upstream.ts'
import { StageFailure } from './failure.ts'
import { fileUrl, hashFile, isGone, type Made } from './files.ts'

export class UpstreamReader {
  private readonly fetch: Fetch
  private readonly redis: Redis
  private readonly keys: JournalKeys
  private readonly catalogue: Catalogue

  constructor(redis: Redis, keys: JournalKeys, catalogue: Catalogue, fetch: Fetch) {
    this.fetch = fetch
    this.redis = redis
    this.keys = keys
    this.catalogue = catalogue
  }

  /** By stage. Throws a `StageFailure` if a file cannot be read now, or Redis's own error. */
  async read(job: JobData, signal: AbortSignal): Promise<Upstream> {
    const results = await this.results(job)
    const upstream: Upstream = {}
    for (const [stage, snapshot] of results) {
      if (!snapshot.result) continue
      const service = this.serviceOf(stage)
      // The run may have been started with another catalogue. Without the service, its files have no address.
      if (!service && snapshot.result.artifacts.length > 0) throw unreadable(stage)
      const made = service && { fetch: this.fetch, service, stage, jobId: snapshot.job_id }
      const files = made ? await filesOf(made, snapshot.result, signal) : []
      upstream[stage] = { job_id: snapshot.job_id, results: snapshot.result.results ?? {}, files }
    }
    return upstream
  }

  /**
   * If files of earlier stages are gone at their service, returns a failure that says so and is not retried. Otherwise
   * returns the given failure.
   */
  async explain(failure: StageFailure, upstream: Upstream, signal: AbortSignal): Promise<StageFailure> {
    // The stage was not called, or its own service is unhealthy.
    if (failure.unmet || failure.ill) return failure
    const gone: number[] = []
    for (const [stage, { job_id, files }] of Object.entries(upstream)) {
      const service = this.serviceOf(Number(stage))
      if (!service) continue
      const made = { fetch: this.fetch, service, stage: Number(stage), jobId: job_id }
      const asked = files.map(({ name }) => isGone(made, name, signal).catch(() => false))
      if ((await Promise.all(asked)).includes(true)) gone.push(Number(stage))
    }
    if (gone.length === 0) return failure
    const words = `Files of stage ${gone.join(', ')}, which this stage uses, no longer exist at their service`
    const shown = `${words}; post the run again to recreate them (${failure.message})`
    return new StageFailure('UPSTREAM_GONE', words, { retryable: false, ill: false, gone, shown })
  }

  /** Undefined for a stage that this catalogue lacks: the default service need not be the one that made its files. */
  private serviceOf(stage: number): Service | undefined {
    return this.catalogue.get(stage) && this.catalogue.serviceOf(stage)
  }

  /** A step of a run gets the results of its run; any other job gets the newest results. */
  private results(job: JobData): Promise<Map<number, JobSnapshot>> {
    if (job.run_id) return upstreamOfRun(this.redis, this.keys, job.run_id, job.stage)
    const { needs = [], uses = [] } = this.catalogue.get(job.stage) ?? {}
    return newestResults(this.redis, this.keys, job, [...new Set([...needs, ...uses])])
  }
}

type FileWithUrl = StageFile & { url: string }

async function filesOf(
  made: Made,
  { artifacts, files = [] }: JobResult,
  signal: AbortSignal,
): Promise<FileWithUrl[]> {
  const known = new Map(files.map((file) => [file.name, file]))
  const found: FileWithUrl[] = []
  for (const name of artifacts) {
    const file =
      known.get(name) ??
      (await hashFile(made, name, signal).catch(() => {
        signal.throwIfAborted()
        throw unreadable(made.stage)
      }))
    // Leave out files that the service no longer has.
    if (file) found.push({ ...file, url: fileUrl(made, name) })
  }
  return found
}

function unreadable(stage: number): StageFailure {
  const message = `A file of stage ${stage}, which this stage needs, cannot be read right now`
  return new StageFailure('UPSTREAM_UNREADABLE', message, { retryable: true, ill: false })
}
