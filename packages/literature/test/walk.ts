/** Runs the stages of the built-in service over HTTP like a worker, which passes files on with addresses and hashes. */
import { createHash, randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { ServiceLine, Upstream } from '../../../contract/service.ts'
import { startBuiltInService } from '../start.ts'
import { post, stageRequest, WORKER_ACCEPT } from './service-client.ts'

export interface Ran {
  stage: number
  job_id: string
  results: Record<string, unknown>
  lines: ServiceLine[]
  /** By name. */
  files: ReadonlyMap<string, Buffer>
  text(name: string): string
  /** Of a JSON file. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes
  json(name: string): any
}

export interface Asked {
  question?: string
  inputs?: Record<string, unknown>
  after?: readonly Ran[]
  /** Changes the files of earlier stages in a request before it is sent. */
  change?: (upstream: Upstream) => void
}

export async function startWalk(t: Test) {
  const service = await startBuiltInService({ host: '127.0.0.1', port: 0, dataDir: t.testdir() })
  t.teardown(() => service.close())
  const fileUrl = (job_id: string, name: string) =>
    `${service.url}/api/workflow/jobs/${job_id}/artifacts/${encodeURIComponent(name)}`

  /** All lines of the answer; the last one is the result or the error. */
  async function ask(stage: number, { question, inputs = {}, after = [], change }: Asked = {}) {
    const upstream: Upstream = Object.fromEntries(
      after.map((one) => [
        String(one.stage),
        {
          job_id: one.job_id,
          results: one.results,
          files: [...one.files].map(([name, content]) => ({
            name,
            sha256: createHash('sha256').update(content).digest('hex'),
            bytes: content.length,
            media_type: 'application/octet-stream',
            url: fileUrl(one.job_id, name),
          })),
        },
      ]),
    )
    change?.(upstream)
    const request = stageRequest({
      job_id: randomUUID(),
      inputs,
      upstream,
      ...(question !== undefined && { research_question: question }),
    })
    const headers = { accept: WORKER_ACCEPT, 'idempotency-key': request.job_id }
    const response = await post(service.url, request, { stage, headers })
    const text = await response.text()
    if (!response.ok)
      return { request, lines: [{ type: 'error', ...JSON.parse(text).detail } as ServiceLine] }
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ServiceLine)
    return { request, lines }
  }

  async function run(stage: number, asked: Asked = {}): Promise<Ran> {
    const { request, lines } = await ask(stage, asked)
    const last = lines.at(-1)
    if (last?.type !== 'result') throw new Error(`stage ${stage}: ${JSON.stringify(last)}`)
    const files = new Map<string, Buffer>()
    for (const name of last.artifacts ?? []) {
      const answer = await fetch(fileUrl(request.job_id, name))
      files.set(name, Buffer.from(await answer.arrayBuffer()))
    }
    const text = (name: string) => String(files.get(name) ?? '')
    const json = (name: string) => JSON.parse(text(name))
    return { stage, job_id: request.job_id, results: last.results ?? {}, lines, files, text, json }
  }
  return { run, ask }
}
