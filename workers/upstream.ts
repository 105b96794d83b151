/** What a job is given of the stages that its stage needs and uses. It is read when the call is made, and not kept. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Redis } from 'ioredis'
import type { Catalogue, Service } from '../contract/catalogue.ts'
import type { JobData, JobResult, JobSnapshot } from '../contract/job.ts'
import type { StageFile, Upstream } from '../contract/service.ts'
import type { JournalKeys } from '../journal/journal.ts'
import { newestResults } from '../journal/upstream.ts'
import { StageFailure } from './failure.ts'

/** How long a service may take to send a file that it told no hash of. */
const READ_MS = 60_000

export class UpstreamReader {
  private readonly redis: Redis
  private readonly keys: JournalKeys
  private readonly catalogue: Catalogue

  constructor(redis: Redis, keys: JournalKeys, catalogue: Catalogue) {
    this.redis = redis
    this.keys = keys
    this.catalogue = catalogue
  }

  /** By stage. Throws a `StageFailure` when a file cannot be read now, or what Redis threw. */
  async read(job: JobData, signal: AbortSignal): Promise<Upstream> {
    const { needs = [], uses = [] } = this.catalogue.get(job.stage) ?? {}
    const results = await newestResults(this.redis, this.keys, job, [...new Set([...needs, ...uses])])
    const upstream: Upstream = {}
    for (const [stage, snapshot] of results) {
      const service = this.catalogue.serviceOf(stage)
      if (!service || !snapshot.result) continue
      const files = await filesOf(service, snapshot, snapshot.result, signal)
      upstream[stage] = { job_id: snapshot.job_id, results: snapshot.result.results ?? {}, files }
    }
    return upstream
  }
}

type FileWithUrl = StageFile & { url: string }

async function filesOf(
  service: Service,
  { job_id, stage }: JobSnapshot,
  { artifacts, files = [] }: JobResult,
  signal: AbortSignal,
): Promise<FileWithUrl[]> {
  const known = new Map(files.map((file) => [file.name, file]))
  const found: FileWithUrl[] = []
  for (const name of artifacts) {
    const url = `${service.url}/api/workflow/jobs/${job_id}/artifacts/${encodeURIComponent(name)}`
    const file = known.get(name) ?? (await hashFile(service, stage, url, name, signal))
    if (file) found.push({ ...file, url })
  }
  return found
}

/** Null when the service does not have the file any more. */
async function hashFile(
  { headers }: Service,
  stage: number,
  url: string,
  name: string,
  signal: AbortSignal,
): Promise<StageFile | null> {
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(READ_MS)])
    const answer = await fetch(url, { headers, signal: deadline })
    if (answer.status === 404) return null
    if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`)
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of Readable.fromWeb(answer.body as ReadableStream)) {
      hash.update(chunk)
      bytes += chunk.length
    }
    const media_type = answer.headers.get('content-type') ?? 'application/octet-stream'
    return { name, sha256: hash.digest('hex'), bytes, media_type }
  } catch {
    signal.throwIfAborted()
    const message = `A file of stage ${stage}, which this stage works on, cannot be read right now`
    throw new StageFailure('UPSTREAM_UNREADABLE', message, { retryable: true, ill: false })
  }
}
