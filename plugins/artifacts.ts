/** Opens artifacts at the stage service so that routes can stream them. */
import fp from 'fastify-plugin'
import type { Dispatcher } from 'undici'
import type { Service } from '../contract/catalogue.ts'
import { ProblemError } from '../contract/errors.ts'

declare module './core.ts' {
  interface Stagecast {
    artifacts: {
      /** The stage service's response with its body unread. Throws 404, 416, 502 or 503. */
      open(
        stage: number,
        jobId: string,
        name: string,
        request: ArtifactRequest,
      ): Promise<Dispatcher.ResponseData>
      /** Asks the stage service to delete the files of a job. Throws 503 unless the service confirms. */
      discard(stage: number, jobId: string): Promise<void>
    }
  }
}

export interface ArtifactRequest {
  /** Request headers to forward: range and validators. */
  headers: Record<string, string>
  /** Aborted when the client disconnects. */
  signal: AbortSignal
}

/** Longest pause of the stage service while it sends a file, in ms. */
const SILENCE = { headersTimeout: 30_000, bodyTimeout: 30_000 }
/** How long the stage service may take to delete a job's files, in ms. */
const DISCARD_MS = 10_000
const NO_SERVICE = 'The stage of this job is no longer in the catalogue, so its files cannot be found'

export interface ArtifactsOptions {
  /** Hosts to which a service may redirect, besides its own. */
  redirectHosts?: readonly string[] | undefined
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export default fp<ArtifactsOptions>(
  async (app, { redirectHosts = [] }) => {
    const allowed = new Set(redirectHosts.map((host) => host.trim().toLowerCase()))
    const agent = app.stagecast.outgoing.open({ connect: { timeout: 5000 } })

    app.stagecast.artifacts = {
      async open(stage, jobId, name, { headers, signal }) {
        const service = app.stagecast.catalogue.serviceOf(stage)
        if (!service) throw new ProblemError('ARTIFACT_NOT_FOUND', NO_SERVICE)
        // Keep a path prefix of the base URL.
        const base = service.url.replace(/\/+$/, '')
        const asked = new URL(`${base}/api/workflow/jobs/${jobId}/artifacts/${encodeURIComponent(name)}`)
        let answer = await get(asked, jobId, { headers: { ...service.headers, ...headers }, signal })
        const { location } = answer.headers
        // A redirect usually leads to an object store. Follow one redirect, not more.
        if (REDIRECTS.has(answer.statusCode) && typeof location === 'string') {
          await answer.body.dump().catch(() => {})
          const place = judge(location, asked)
          // Send the service's own headers to no other host.
          const told = place.origin === asked.origin ? { ...service.headers, ...headers } : headers
          answer = await get(place, jobId, { headers: told, signal })
        }
        if (answer.statusCode < 300 || answer.statusCode === 304) return answer
        await answer.body.dump().catch(() => {})
        throw refusal(answer.statusCode, name)
      },
      async discard(stage, jobId) {
        const service = app.stagecast.catalogue.serviceOf(stage)
        const status = service ? await deleteAt(service, jobId) : 'the stage no longer has a service'
        if (typeof status === 'number' && status >= 200 && status < 300) return
        // The service has no files of this job, or cannot delete.
        if (status === 404 || status === 405)
          return app.log.info({ jobId, status }, 'the stage service deleted no files of the job')
        app.log.warn(
          { jobId, status },
          'the stage service did not confirm that it deleted the files of the job',
        )
        const detail =
          'The stage service did not confirm that it deleted the files; nothing was deleted, try again'
        throw new ProblemError('STAGE_SERVICE_UNAVAILABLE', detail, { retryAfter: 5 })
      },
    }

    /** The status of the answer, or the reason why there was none. */
    async function deleteAt({ url, headers }: Service, jobId: string): Promise<number | string> {
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(new Error('no answer in time')), DISCARD_MS)
      const { origin, pathname } = new URL(`${url.replace(/\/+$/, '')}/api/workflow/jobs/${jobId}`)
      try {
        const target = { origin, path: pathname, method: 'DELETE' as const, headers, signal: late.signal }
        const { statusCode, body } = await agent.request(target)
        await body.dump().catch(() => {})
        return statusCode
      } catch (error) {
        return (error as Error).message
      } finally {
        clearTimeout(timer)
      }
    }

    function get(url: URL, jobId: string, { headers, signal }: ArtifactRequest) {
      const { origin, pathname, search } = url
      const target = { origin, path: `${pathname}${search}`, method: 'GET' as const, ...SILENCE }
      return agent.request({ ...target, headers, signal }).catch((err: Error) => {
        app.log.warn({ err, jobId }, 'the stage service cannot be reached')
        const detail = 'The file cannot be fetched from the stage service right now; try again shortly'
        throw new ProblemError('STAGE_SERVICE_UNAVAILABLE', detail, { retryAfter: 5 })
      })
    }

    /** The redirect target, if the operator allows its host. A service must not make us read from any other host. */
    function judge(location: string, from: URL): URL {
      const place = URL.canParse(location, from.href) ? new URL(location, from) : null
      const isSafe =
        place?.protocol === 'https:' || (place?.protocol === 'http:' && from.protocol === 'http:')
      if (place && isSafe && (place.host === from.host || allowed.has(place.hostname))) return place
      // Log the host only: the rest may contain a signature.
      app.log.warn(
        { host: place?.hostname },
        'did not follow a redirect of the stage service: its host is not in ARTIFACT_REDIRECT_HOSTS',
      )
      const detail = 'The stage service redirects to a host that is not allowed here'
      throw new ProblemError('STAGE_SERVICE_ERROR', detail)
    }
  },
  { name: 'artifacts', dependencies: ['catalogue', 'outgoing'] },
)

function refusal(status: number, name: string): ProblemError {
  if (status === 404)
    return new ProblemError('ARTIFACT_NOT_FOUND', `The stage service no longer has ${JSON.stringify(name)}`)
  if (status === 416) return new ProblemError('RANGE_NOT_SATISFIABLE', 'Request a range within the file')
  return new ProblemError('STAGE_SERVICE_ERROR', `The stage service refused the file with status ${status}`)
}
