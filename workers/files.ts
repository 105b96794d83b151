/** Identifies the files that a stage made: name, SHA-256, size in bytes and media type. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Service } from '../contract/catalogue.ts'
import type { JobResult } from '../contract/job.ts'
import type { StageFile } from '../contract/service.ts'
import type { Fetch } from '../outgoing/outgoing.ts'
import { StageFailure } from './failure.ts'

/** How long a service may pause while sending a file, in ms. */
const SILENCE_MS = 60_000

/** Which job made the files, and at which service. */
export interface Made {
  /** Reads from the service. */
  fetch: Fetch
  service: Service
  stage: number
  jobId: string
}

/** The address of a file at its service. */
export function fileUrl({ service, jobId }: Pick<Made, 'service' | 'jobId'>, name: string): string {
  return `${service.url}/api/workflow/jobs/${jobId}/artifacts/${encodeURIComponent(name)}`
}

/**
 * All files of a result, each with its hash: the one the service stated, or else the file is read and hashed here, without
 * keeping it in memory or on disk.
 *
 * Call it before the job settles if the content of the result matters, as in a run, which reuses and signs off by content:
 * `result.files = await hashedFiles(made, result, signal)`. Throws a retryable `ARTIFACT_UNREADABLE` if a file that the
 * service has just named cannot be read, or the abort reason if `signal` aborts.
 */
export async function hashedFiles(
  made: Made,
  result: Pick<JobResult, 'artifacts' | 'files'>,
  signal: AbortSignal,
): Promise<StageFile[]> {
  const known = new Map((result.files ?? []).map((file) => [file.name, file]))
  const files: StageFile[] = []
  for (const name of result.artifacts) {
    const file = known.get(name) ?? (await hashFile(made, name, signal).catch(() => null))
    signal.throwIfAborted()
    if (!file) {
      const words = `Stage ${made.stage} returned a file without a hash, and the file cannot be read from its service`
      throw new StageFailure('ARTIFACT_UNREADABLE', words, { retryable: true, ill: false })
    }
    files.push(file)
  }
  return files
}

/** Whether the service says that it does not have the file. False if it cannot be asked right now. */
export async function isGone(made: Made, name: string, signal: AbortSignal): Promise<boolean> {
  const answer = await made.fetch(fileUrl(made, name), {
    headers: made.service.headers,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(SILENCE_MS)]),
  })
  await answer.body?.cancel()
  return answer.status === 404 || answer.status === 410
}

/** Reads a file once. Returns null if the service does not have it; rejects if it cannot be read now. */
export async function hashFile(made: Made, name: string, signal: AbortSignal): Promise<StageFile | null> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new Error('the service stopped sending')), SILENCE_MS)
  try {
    const answer = await made.fetch(fileUrl(made, name), {
      headers: made.service.headers,
      signal: AbortSignal.any([signal, silence.signal]),
      // The headers hold secrets meant for this service only.
      redirect: 'error',
    })
    if (answer.status === 404) return null
    if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`)
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of Readable.fromWeb(answer.body as ReadableStream)) {
      timer.refresh()
      hash.update(chunk)
      bytes += chunk.length
    }
    const media_type = answer.headers.get('content-type') ?? 'application/octet-stream'
    return { name, sha256: hash.digest('hex'), bytes, media_type: media_type.slice(0, 200) }
  } finally {
    clearTimeout(timer)
  }
}
