/** GET /api/workflow/jobs/:job_id/artifacts/:name: a file of a finished job, streamed. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { extname } from 'node:path'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { jobIdOf } from './job.ts'
import { parseRange } from './range.ts'
import { StageFailure } from './stage.ts'
import type { Store, StoredFile } from './store.ts'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.bib': 'application/x-bibtex',
  '.ris': 'application/x-research-info-systems',
  '.csv': 'text/csv; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
}

/** By file extension. */
export function mediaTypeOf(name: string): string {
  return MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream'
}

const Params = Type.Object({ job_id: Type.String(), name: Type.String() })

export const artifactRoute: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.get(
    '/api/workflow/jobs/:job_id/artifacts/:name',
    { schema: { params: Params } },
    async (request, reply) => {
      const file = await find(store, request.params.job_id, request.params.name)
      const etag = `"${file.sha256}"`
      reply.header('etag', etag).header('accept-ranges', 'bytes').header('cache-control', 'private, no-cache')
      reply.header('x-content-type-options', 'nosniff')
      if (namesTag(request.headers['if-none-match'], etag)) return reply.code(304).send()

      const condition = request.headers['if-range']
      const wanted = condition === undefined || condition === etag ? request.headers.range : undefined
      const range = parseRange(wanted, file.bytes)
      if (range === 'unsatisfiable') {
        reply.header('content-range', `bytes */${file.bytes}`)
        throw new StageFailure(416, 'RANGE_NOT_SATISFIABLE', `The artifact has ${file.bytes} bytes.`)
      }
      const handle = await openFile(store.artifactPath(file.jobId, file.name), file.bytes)
      reply.type(mediaTypeOf(file.name))
      const { start, end } = range ?? { start: 0, end: file.bytes - 1 }
      if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.bytes}`)
      reply.header('content-length', end - start + 1)
      // An empty file has no last byte: `end` would be -1, which a read stream rejects.
      return reply.send(handle.createReadStream(file.bytes === 0 ? {} : { start, end }))
    },
  )
}

/** Only names that the stage declared are served, so no path, however spelled, leads anywhere else. */
async function find(store: Store, jobText: string, name: string): Promise<StoredFile & { jobId: string }> {
  const jobId = jobIdOf(jobText)
  const record = jobId === undefined ? undefined : await store.read(jobId)
  const file = record?.files.find((each) => each.name === name)
  if (!jobId || !file) throw notFound()
  return { ...file, jobId }
}

/** Refuses links and anything else that is not the published file. */
async function openFile(path: string, bytes: number): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => {
      throw notFound()
    },
  )
  const stats = await handle.stat()
  if (stats.isFile() && stats.size === bytes) return handle
  await handle.close()
  throw notFound()
}

function namesTag(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((tag) => [etag, `W/${etag}`, '*'].includes(tag.trim())) ?? false
}

function notFound(): StageFailure {
  return new StageFailure(
    404,
    'ARTIFACT_NOT_FOUND',
    'The job has no such artifact; see `artifacts` in the result.',
  )
}
