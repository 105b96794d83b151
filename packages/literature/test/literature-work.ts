/** Runs stage 2 in this process, as the service would, and reads what it wrote. */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { SourceName } from '../../../contract/literature.ts'
import { createCache } from '../cache.ts'
import { systemClock } from '../clock.ts'
import type { LiteratureReview } from '../schema.ts'
import type { Source } from '../source.ts'
import { sample } from '../sources/sample.ts'
import { literatureStage } from '../stage.ts'
import { stageRequest } from './service-client.ts'

export interface Step {
  percent: number
  message: string
}

export interface Options {
  question?: string
  inputs?: Record<string, unknown>
  signal?: AbortSignal
  onStep?: (step: Step) => void
}

/** A stage with these `sources` and a separate cache. */
export function stageOver(
  t: Test,
  sources: readonly Source[] = [sample],
  cacheMs = 60_000,
  clock = systemClock,
) {
  const root = join(t.testdir(), randomUUID())
  const names = sources.map(({ name }) => name as SourceName)
  const stage = literatureStage({
    sources: new Map(sources.map((source) => [source.name, source])),
    chosen: names,
    cache: createCache(join(root, 'cache'), cacheMs, clock),
  })

  async function work({ question, inputs = {}, signal, onStep }: Options = {}) {
    const dir = join(root, randomUUID())
    await mkdir(dir, { recursive: true })
    const steps: Step[] = []
    const request = stageRequest({ ...(question !== undefined && { research_question: question }), inputs })
    stage.validate(request)
    const outcome = await stage.run(request, {
      signal: signal ?? new AbortController().signal,
      dir,
      async progress(percent, message) {
        signal?.throwIfAborted()
        steps.push({ percent, message })
        onStep?.({ percent, message })
      },
    })
    const files: Record<string, string> = {}
    for (const name of await readdir(dir)) files[name] = await readFile(join(dir, name), 'utf8')
    const review = JSON.parse(files['literature_review.json'] ?? 'null') as LiteratureReview
    return { outcome, steps, files, review }
  }
  return { stage, work }
}
