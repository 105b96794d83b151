/** kubb with our own request function: one function per operation, which throws error responses. */
import {
  cancelJob,
  createTicket,
  executeStage2,
  executeStage3,
  getArtifact,
  getJobEventsPage,
  getJobStatus,
  getRun,
  getWorkflowEventsPage,
  listJobs,
  listSignOffs,
  listStages,
  signOff,
  startRun,
} from '../generated/kubb/client'
import type { JobEvent, JobSummary, Problem, WorkflowEvent } from '../generated/kubb/types'
import type { Adapter, Connect, Refusal, Seen } from './adapter.ts'
import { Refused, useServer } from './kubb-request.ts'
import { decisionOf, stateOf } from './run-state.ts'

export const connect: Connect = (options): Adapter => {
  useServer(options)
  return {
    async stages() {
      return (await listStages()).data.stages.map(({ slug }) => slug)
    },

    async review({ idempotencyKey, ...data }) {
      return (await executeStage2({ data, headers: { 'idempotency-key': idempotencyKey } })).data
    },

    async proposal({ idempotencyKey, ...rest }) {
      const data = { ...rest, inputs: { whatever: ['fits'] } }
      return (await executeStage3({ data, headers: { 'idempotency-key': idempotencyKey } })).data
    },

    refusedReview({ idempotencyKey: _, ...data }) {
      return refused(executeStage2({ data }))
    },

    async status(job, after, wait) {
      const params = { ...(after && { after }), ...(wait && { wait }) }
      const { data } = await getJobStatus({ ...job, params })
      if (!data) throw new Error('304 although nothing was conditional')
      return { status: data.status, cursor: data.cursor, finished: data.finished_at !== null }
    },

    async page(job, after) {
      const { data } = await getJobEventsPage({ ...job, params: after ? { after } : {} })
      return { ...data, events: data.events.map(seen) }
    },

    async cancel(job) {
      return (await cancelJob(job)).data.status
    },

    refusedCancel(job) {
      return refused(cancelJob(job))
    },

    async artifact({ stage, job_id }, name) {
      const { data } = await getArtifact({ stage, job_id, name })
      return (data as Blob).text()
    },

    async ticket(job) {
      return (await createTicket(job)).data.events_url
    },

    async jobs(workflow_id, limit) {
      const jobs: JobSummary[] = []
      let after: string | null | undefined
      do {
        const { data } = await listJobs({ params: { workflow_id, limit, ...(after && { after }) } })
        jobs.push(...data.jobs)
        after = data.next
      } while (after !== null)
      return jobs
    },

    async plan(workflow_id, stages) {
      const { data } = await startRun({ workflow_id, data: { stages }, params: { plan: true } })
      if ('run_id' in data) throw new Error('it was started')
      return data.steps.map((step) => [step.action, step.because, step.sign_off])
    },

    async startRun(workflow_id, stages, key) {
      const headers = { 'idempotency-key': key }
      const { data } = await startRun({ workflow_id, data: { stages }, headers })
      if (!('run_id' in data)) throw new Error('it was planned')
      return data
    },

    refusedRun(workflow_id, stages) {
      return refused(startRun({ workflow_id, data: { stages } }))
    },

    async run(run, after, wait) {
      const { data } = await getRun({ ...run, params: { ...(after && { after }), wait } })
      if (!data) throw new Error('304 although nothing was conditional')
      return stateOf(data)
    },

    async signOffs() {
      return (await listSignOffs()).data.sign_offs
    },

    async approve(run, stage, digest) {
      const { data } = await signOff({ ...run, stage, data: { verdict: 'approved', digest } })
      return decisionOf(data, stage)
    },

    async runEvents(workflow_id) {
      return (await getWorkflowEventsPage({ workflow_id })).data.events.flatMap(ofRun)
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

async function refused(request: Promise<unknown>): Promise<Refusal> {
  const error = await request.then(
    () => new Error('it was not refused'),
    (error) => error,
  )
  if (!(error instanceof Refused)) throw error
  const { status, code, detail, errors } = error.problem as Problem
  return { status, code, detail, ...(errors && { paths: errors.map(({ path }) => path) }) }
}
