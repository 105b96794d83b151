/** Opens artifacts at the stage service for streaming through. */
import fp from 'fastify-plugin'
import { Agent, type Dispatcher } from 'undici'
import { ProblemError } from '../contract/errors.ts'

declare module './core.ts' {
  interface Stagecast {
    artifacts: {
      /** The stage service's answer, its body unread. Throws 404, 416, 502 or 503. */
      open(
        stage: number,
        jobId: string,
        name: string,
        request: ArtifactRequest,
      ): Promise<Dispatcher.ResponseData>
    }
  }
}

export interface ArtifactRequest {
  /** Request headers to pass on: a range, a validator. */
  headers: Record<string, string>
  /** Aborted when the client hangs up. */
  signal: AbortSignal
}

/** Longest silence of the stage service while it sends a file, in ms. */
const SILENCE_MS = 30_000
const NO_SERVICE = 'The stage of this job has left the catalogue, and with it the address of its files'

export default fp(
  async (app) => {
    const agent = new Agent({
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      connect: { timeout: 5000 },
    })
    app.addHook('onClose', () => agent.destroy())

    app.stagecast.artifacts = {
      async open(stage, jobId, name, { headers, signal }) {
        const service = app.stagecast.catalogue.serviceOf(stage)
        if (!service) throw new ProblemError('ARTIFACT_NOT_FOUND', NO_SERVICE)
        const path = `/api/workflow/jobs/${jobId}/artifacts/${encodeURIComponent(name)}`
        const answer = await agent
          .request({
            ...target(service.url, path),
            ...{ method: 'GET', headers: { ...service.headers, ...headers }, signal },
          })
          .catch((err: Error) => {
            app.log.warn({ err, jobId }, 'the stage service cannot be reached')
            const detail = 'The file cannot be fetched from the stage service right now; try again shortly'
            throw new ProblemError('STAGE_SERVICE_UNAVAILABLE', detail, { retryAfter: 5 })
          })
        if (answer.statusCode < 300 || answer.statusCode === 304) return answer
        await answer.body.dump().catch(() => {})
        throw refusal(answer.statusCode, name)
      },
    }
  },
  { name: 'artifacts', dependencies: ['catalogue'] },
)

/** A path prefix in the base URL is kept. */
function target(base: string, path: string): { origin: string; path: string } {
  const { origin, pathname } = new URL(base)
  return { origin, path: `${pathname === '/' ? '' : pathname}${path}` }
}

function refusal(status: number, name: string): ProblemError {
  if (status === 404)
    return new ProblemError('ARTIFACT_NOT_FOUND', `The stage service no longer has ${JSON.stringify(name)}`)
  if (status === 416) return new ProblemError('RANGE_NOT_SATISFIABLE', 'Ask for a range within the file')
  return new ProblemError('STAGE_SERVICE_ERROR', `The stage service refused the file with status ${status}`)
}
