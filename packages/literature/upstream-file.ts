/** A file of an earlier stage, read with its hash verified. */
import { StageFailure } from '../stage-kit/stage.ts'
import type { StageJob } from '../stage-kit/stage-job.ts'

export interface UpstreamFile<T = unknown> {
  stage: number
  name: string
  sha256: string
  value: T
}

type Job = Pick<StageJob, 'stage' | 'upstream'>

/** Throws a `StageFailure` that says which stage to run first if the file is missing. */
export async function readJson<T>(job: Job, stage: number, name: string): Promise<UpstreamFile<T>> {
  const { file, from } = find(job, stage, name)
  return { ...file, value: (await from.json(name)) as T }
}

export async function readText(job: Job, stage: number, name: string): Promise<UpstreamFile<string>> {
  const { file, from } = find(job, stage, name)
  return { ...file, value: await from.text(name) }
}

/** Whether the stage has run and left this file. */
export function hasFile({ upstream }: Job, stage: number, name: string): boolean {
  return upstream[stage]?.files.some((one) => one.name === name) ?? false
}

function find(job: Job, stage: number, name: string) {
  const from = job.upstream[stage]
  const file = from?.files.find((one) => one.name === name)
  if (!from || !file) {
    const why = from ? `its newest result has no ${name}` : 'it has not been completed in this workflow'
    const message = `Stage ${job.stage} needs stage ${stage}, but ${why}. Run stage ${stage} first.`
    throw new StageFailure(422, 'UPSTREAM_MISSING', message)
  }
  return { from, file: { stage, name, sha256: file.sha256 } }
}
