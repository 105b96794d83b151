/**
 * The data folder. A job runs under `work/` and appears under `jobs/<job id>/` by one rename, with its record and all its
 * artifacts, so readers see a finished job or none.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ArtifactName, StageAnswer } from '../../contract/service.ts'
import { StageFailure } from './stage.ts'

const StoredFile = Type.Object({ name: ArtifactName, bytes: Type.Integer(), sha256: Type.String() })
export type StoredFile = Static<typeof StoredFile>

/** The record of a finished job. `digest` identifies the request, so that a different one is noticed. */
const JobRecord = Type.Object({ digest: Type.String(), answer: StageAnswer, files: Type.Array(StoredFile) })
export type JobRecord = Static<typeof JobRecord>

/** A folder under `work/`; the stage writes into `artifacts`. */
export interface Workspace {
  root: string
  artifacts: string
}

/** Work this old was left by a process that was killed; no real work takes this long. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

export type Store = Awaited<ReturnType<typeof openStore>>

/** Opens the data folder and creates it if needed. */
export async function openStore(dataDir: string) {
  const jobs = join(dataDir, 'jobs')
  const work = join(dataDir, 'work')
  await Promise.all([mkdir(jobs, { recursive: true }), mkdir(work, { recursive: true })])
  const folder = (jobId: string) => join(jobs, jobId)

  /** Hides a finished job in one step, then deletes it. False if there is none. */
  async function discard(jobId: string): Promise<boolean> {
    const grave = await mkdtemp(join(work, 'gone-'))
    const moved = await rename(folder(jobId), grave).then(() => true, ignoreMissing)
    await rm(grave, { recursive: true, force: true })
    return moved ?? false
  }

  return {
    /** The record of a finished job, or undefined. A damaged record is removed. */
    async read(jobId: string): Promise<JobRecord | undefined> {
      const text = await readFile(join(folder(jobId), 'record.json'), 'utf8').catch(ignoreMissing)
      if (text === undefined) return undefined
      const record = parse(text)
      if (Value.Check(JobRecord, record)) return record
      await discard(jobId)
      return undefined
    },

    discard,

    artifactPath: (jobId: string, name: string) => join(folder(jobId), 'artifacts', name),

    async workspace(jobId: string): Promise<Workspace> {
      const root = await mkdtemp(join(work, `${jobId}-`))
      const artifacts = join(root, 'artifacts')
      await mkdir(artifacts)
      return { root, artifacts }
    },

    async drop(workspace: Workspace): Promise<void> {
      await rm(workspace.root, { recursive: true, force: true })
    },

    /** Size and hash of the named files. Throws if one is not a regular file in the workspace. */
    async inspect(workspace: Workspace, names: readonly string[]): Promise<StoredFile[]> {
      return Promise.all(names.map((name) => inspectFile(workspace, name)))
    },

    /** Publishes the work. False if another process with this data folder was first. */
    async publish(jobId: string, workspace: Workspace, record: JobRecord): Promise<boolean> {
      await writeFile(join(workspace.root, 'record.json'), JSON.stringify(record), { flush: true })
      try {
        await rename(workspace.root, folder(jobId))
        return true
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
        return false
      }
    },

    /** Removes finished jobs older than `keepMs` and what killed processes left. Returns the count. */
    async sweep(keepMs: number): Promise<number> {
      const now = Date.now()
      const old = await olderThan(jobs, now - keepMs, 'record.json')
      for (const name of old) await discard(name)
      const abandoned = await olderThan(work, now - Math.max(keepMs, ABANDONED_MS))
      for (const name of abandoned) await rm(join(work, name), { recursive: true, force: true })
      return old.length + abandoned.length
    },
  }
}

async function inspectFile(workspace: Workspace, name: string): Promise<StoredFile> {
  const path = join(workspace.artifacts, name)
  const stats = Value.Check(ArtifactName, name) ? await lstat(path).catch(ignoreMissing) : undefined
  if (!stats?.isFile()) {
    throw new StageFailure(
      500,
      'ARTIFACT_MISSING',
      'The stage named an artifact that it did not write as a file.',
    )
  }
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return { name, bytes: stats.size, sha256: hash.digest('hex') }
}

/** Entries last changed before `time`; one without its `probe` file is judged by its own age. */
async function olderThan(dir: string, time: number, probe = ''): Promise<string[]> {
  const old: string[] = []
  for (const name of await readdir(dir)) {
    const stats =
      (await lstat(join(dir, name, probe)).catch(ignoreMissing)) ??
      (await lstat(join(dir, name)).catch(ignoreMissing))
    if (stats && stats.mtimeMs < time) old.push(name)
  }
  return old
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
