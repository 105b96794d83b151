/** @hey-api/openapi-ts with its built-in fetch client. */
import { type Auth, createClient } from '../generated/hey-api/client'
import {
  cancelJob,
  createTicket,
  executeStage2,
  executeStage3,
  getArtifact,
  getJobEvents,
  getJobEventsPage,
  getJobStatus,
  getRun,
  getWorkflowEventsPage,
  listJobs,
  listSignOffs,
  listStages,
  signOff,
  startRun,
} from '../generated/hey-api/sdk.gen'
import type {
  JobEvent,
  JobStreamData,
  JobSummary,
  Problem,
  WorkflowEvent,
} from '../generated/hey-api/types.gen'
import type { Adapter, Connect, Refusal, Seen } from './adapter.ts'
import { decisionOf, stateOf } from './run-state.ts'

export const connect: Connect = ({ baseUrl, token }): Adapter => {
  // `auth` is called for every security scheme of a route. A ticket is another scheme, for which the token is wrong.
  const auth = ({ scheme }: Auth) => (scheme === 'bearer' ? token : undefined)
  const client = createClient({ baseUrl, auth })
  return {
    async stages() {
      const { data } = await listStages({ client, throwOnError: true })
      return data.stages.map(({ slug }) => slug)
    },

    async review({ idempotencyKey, ...body }) {
      const headers = { 'idempotency-key': idempotencyKey }
      const { data } = await executeStage2({ client, body, headers, throwOnError: true })
      return data
    },

    async proposal({ idempotencyKey, ...rest }) {
      const headers = { 'idempotency-key': idempotencyKey }
      const body = { ...rest, inputs: { whatever: ['fits'] } }
      const { data } = await executeStage3({ client, body, headers, throwOnError: true })
      return data
    },

    async refusedReview({ idempotencyKey: _, ...body }) {
      const { error } = await executeStage2({ client, body })
      return refusal(error)
    },

    async status(path, after, wait) {
      const query = { ...(after && { after }), ...(wait && { wait }) }
      const { data } = await getJobStatus({ client, path, query, throwOnError: true })
      return { status: data.status, cursor: data.cursor, finished: data.finished_at !== null }
    },

    async page(path, after) {
      const query = after ? { after } : {}
      const { data } = await getJobEventsPage({ client, path, query, throwOnError: true })
      return { ...data, events: data.events.map(seen) }
    },

    async *watch(path) {
      const events: Seen[] = []
      const { stream } = await getJobEvents({
        client,
        path,
        sseMaxRetryAttempts: 1,
        // This is also called for frames without data, such as the first one.
        onSseEvent: ({ id = '', event, data }) => {
          const told = data as JobStreamData | undefined
          if (told && 'at' in told) events.push(seen({ id, event, data: told } as JobEvent))
        },
      })
      for await (const _ of stream) yield* events.splice(0)
    },

    async cancel(path) {
      const { data } = await cancelJob({ client, path, throwOnError: true })
      return data.status
    },

    async refusedCancel(path) {
      const { error } = await cancelJob({ client, path })
      return refusal(error)
    },

    async artifact({ stage, job_id }, name) {
      const path = { stage, job_id, name }
      const { data } = await getArtifact({ client, path, parseAs: 'blob', throwOnError: true })
      return (data as Blob).text()
    },

    async ticket(path) {
      const { data } = await createTicket({ client, path, throwOnError: true })
      return data.events_url
    },

    async jobs(workflow_id, limit) {
      const jobs: JobSummary[] = []
      let after: string | null | undefined
      do {
        const query = { workflow_id, limit, ...(after && { after }) }
        const { data } = await listJobs({ client, query, throwOnError: true })
        jobs.push(...data.jobs)
        after = data.next
      } while (after !== null)
      return jobs
    },

    async plan(workflow_id, stages) {
      const path = { workflow_id }
      const { data } = await startRun({
        client,
        path,
        query: { plan: true },
        body: { stages },
        throwOnError: true,
      })
      if ('run_id' in data) throw new Error('it was started')
      return data.steps.map((step) => [step.action, step.because, step.sign_off])
    },

    async startRun(workflow_id, stages, key) {
      const headers = { 'idempotency-key': key }
      const { data } = await startRun({
        client,
        path: { workflow_id },
        headers,
        body: { stages },
        throwOnError: true,
      })
      if (!('run_id' in data)) throw new Error('it was planned')
      return data
    },

    async refusedRun(workflow_id, stages) {
      const { error } = await startRun({ client, path: { workflow_id }, body: { stages } })
      return refusal(error)
    },

    async run(path, after, wait) {
      const query = { ...(after && { after }), wait }
      const { data } = await getRun({ client, path, query, throwOnError: true })
      return stateOf(data)
    },

    async signOffs() {
      const { data } = await listSignOffs({ client, throwOnError: true })
      return data.sign_offs
    },

    async approve(run, stage, digest) {
      const body = { verdict: 'approved' as const, digest }
      const { data } = await signOff({ client, path: { ...run, stage }, body, throwOnError: true })
      return decisionOf(data, stage)
    },

    async runEvents(workflow_id) {
      const { data } = await getWorkflowEventsPage({ client, path: { workflow_id }, throwOnError: true })
      return data.events.flatMap(ofRun)
    },
  }
}

/** What only some events have is reached by their type alone. */
function seen(one: JobEvent): Seen {
  const told = { id: one.id, event: one.event, progress: one.data.progress }
  if (one.event === 'completed') return { ...told, artifacts: one.data.result.artifacts }
  const hasError = one.event === 'retrying' || one.event === 'failed' || one.event === 'cancelled'
  return hasError ? { ...told, error: one.data.error.code } : told
}

function ofRun(one: WorkflowEvent): string[] {
  if (one.event === 'run') return [one.data.status]
  return one.event === 'sign_off' ? [one.data.verdict] : []
}

function refusal(problem: Problem | undefined): Refusal {
  if (!problem) throw new Error('it was not refused')
  const { status, code, detail, errors } = problem
  return { status, code, detail, ...(errors && { paths: errors.map(({ path }) => path) }) }
}
