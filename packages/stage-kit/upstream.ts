/** The result of an earlier stage, and its files, whose hashes are checked before use. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import type { Upstream } from '../../contract/service.ts'
import { StageFailure } from './stage.ts'

type Given = Upstream[string]

/** Headers by origin. */
export type UpstreamHeaders = Readonly<Record<string, Readonly<Record<string, string>>>>

export class UpstreamStage {
  readonly jobId: string
  readonly results: Record<string, unknown>
  readonly files: Given['files']
  private readonly signal: AbortSignal
  private readonly headers: UpstreamHeaders

  constructor({ job_id, results, files }: Given, signal: AbortSignal, headers: UpstreamHeaders) {
    this.jobId = job_id
    this.results = results
    this.files = files
    this.signal = signal
    this.headers = headers
  }

  /** The file as a stream. It has been read completely and its hash is right. */
  async open(name: string): Promise<Readable> {
    const file = this.files.find((one) => one.name === name)
    if (!file) {
      const there = this.files.map((one) => one.name).join(', ') || 'none'
      throw new StageFailure(
        422,
        'UPSTREAM_FILE_MISSING',
        `The stage has no file ${name}; available: ${there}.`,
      )
    }
    const dir = await mkdtemp(join(tmpdir(), 'stagecast-upstream-'))
    const remove = () => rm(dir, { recursive: true, force: true })
    try {
      const path = join(dir, 'file')
      const headers = this.headers[new URL(file.url).origin] ?? {}
      const answer = await fetch(file.url, { headers, signal: this.signal, redirect: 'error' })
      if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`)
      const hash = createHash('sha256')
      const hashed = async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk)
          yield chunk
        }
      }
      await pipeline(Readable.fromWeb(answer.body as ReadableStream), hashed, createWriteStream(path))
      if (hash.digest('hex') !== file.sha256) throw changed(name)
      const stream = createReadStream(path)
      stream.once('close', () => void remove())
      return stream
    } catch (error) {
      await remove()
      this.signal.throwIfAborted()
      if (error instanceof StageFailure) throw error
      const message = `The file ${name} of an earlier stage cannot be read: ${(error as Error).message}.`
      throw new StageFailure(503, 'UPSTREAM_UNREACHABLE', message)
    }
  }

  async read(name: string): Promise<Buffer> {
    return buffer(await this.open(name))
  }

  async text(name: string): Promise<string> {
    return (await this.read(name)).toString()
  }

  async json(name: string): Promise<unknown> {
    return JSON.parse(await this.text(name))
  }
}

function changed(name: string): StageFailure {
  const message = `The file ${name} of an earlier stage has changed: its hash differs.`
  return new StageFailure(503, 'UPSTREAM_CHANGED', message)
}
