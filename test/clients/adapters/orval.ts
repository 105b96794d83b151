/** orval with its fetch client: every function returns the status, which determines the type of the data. */
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
  type JobEvent,
  type JobSummary,
  listJobs,
  listSignOffs,
  listStages,
  type Problem,
  signOff,
  startRun,
  type WorkflowEvent,
} from '../generated/orval'
import type { Adapter, Connect, Refusal, Seen } from './adapter.ts'
import { useServer } from './orval-request.ts'
import { decisionOf, stateOf } from './run-state.ts'

export const connect: Connect = (options): Adapter => {
  useServer(options)
  return {
    async stages() {
      const answer = await listStages()
      if (answer.status !== 200) throw failure(answer.data)
      return answer.data.stages.map(({ slug }) => slug)
    },

    async review({ idempotencyKey, ...body }) {
      const answer = await executeStage2(body, { headers: { 'idempotency-key': idempotencyKey } })
      if (answer.status !== 202 && answer.status !== 200) throw failure(answer.data)
      return answer.data
    },

    async proposal({ idempotencyKey, ...body }) {
      const options = { headers: { 'idempotency-key': idempotencyKey } }
      const answer = await executeStage3({ ...body, inputs: { whatever: ['fits'] } }, options)
      if (answer.status !== 202 && answer.status !== 200) throw failure(answer.data)
      return answer.data
    },

    async refusedReview({ idempotencyKey: _, ...body }) {
      const answer = await executeStage2(body)
      if (answer.status === 202 || answer.status === 200) throw new Error('it was not refused')
      return refusal(answer.data)
    },

    async status({ stage, job_id }, after, wait) {
      const answer = await getJobStatus(stage, job_id, { ...(after && { after }), ...(wait && { wait }) })
      if (answer.status === 304) throw new Error('304 although nothing was conditional')
      if (answer.status !== 200) throw failure(answer.data)
      const { status, cursor, finished_at } = answer.data
      return { status, cursor, finished: finished_at !== null }
    },

    async page({ stage, job_id }, after) {
      const answer = await getJobEventsPage(stage, job_id, after ? { after } : {})
      if (answer.status !== 200) throw failure(answer.data)
      return { ...answer.data, events: answer.data.events.map(seen) }
    },

    async cancel({ stage, job_id }) {
      const answer = await cancelJob(stage, job_id)
      if (answer.status !== 200 && answer.status !== 202) throw failure(answer.data)
      return answer.data.status
    },

    async refusedCancel({ stage, job_id }) {
      const answer = await cancelJob(stage, job_id)
      if (answer.status === 200 || answer.status === 202) throw new Error('it was not refused')
      return refusal(answer.data)
    },

    async artifact({ stage, job_id }, name) {
      const answer = await getArtifact(stage, job_id, name)
      if (answer.status !== 200) throw new Error(`status ${answer.status}`)
      return answer.data.text()
    },

    async ticket({ stage, job_id }) {
      const answer = await createTicket(stage, job_id)
      if (answer.status !== 201) throw failure(answer.data)
      return answer.data.events_url
    },

    async jobs(workflow_id, limit) {
      const jobs: JobSummary[] = []
      let after: string | null | undefined
      do {
        const answer = await listJobs({ workflow_id, limit, ...(after && { after }) })
        if (answer.status !== 200) throw failure(answer.data)
        jobs.push(...answer.data.jobs)
        after = answer.data.next
      } while (after !== null)
      return jobs
    },

    async plan(workflowId, stages) {
      const answer = await startRun(workflowId, { stages }, { plan: true })
      if (answer.status !== 200) throw new Error(`status ${answer.status}`)
      return answer.data.steps.map((step) => [step.action, step.because, step.sign_off])
    },

    async startRun(workflowId, stages, key) {
      const options = { headers: { 'idempotency-key': key } }
      const answer = await startRun(workflowId, { stages }, {}, options)
      if (answer.status !== 202) throw new Error(`status ${answer.status}`)
      return answer.data
    },

    async refusedRun(workflowId, stages) {
      const answer = await startRun(workflowId, { stages })
      if (answer.status === 200 || answer.status === 202) throw new Error('it was not refused')
      return refusal(answer.data)
    },

    async run({ workflow_id, run_id }, after, wait) {
      const answer = await getRun(workflow_id, run_id, { ...(after && { after }), wait })
      if (answer.status === 304) throw new Error('304 although nothing was conditional')
      if (answer.status !== 200) throw failure(answer.data)
      return stateOf(answer.data)
    },

    async signOffs() {
      const answer = await listSignOffs()
      if (answer.status !== 200) throw failure(answer.data)
      return answer.data.sign_offs
    },

    async approve({ workflow_id, run_id }, stage, digest) {
      const answer = await signOff(workflow_id, run_id, stage, { verdict: 'approved', digest })
      if (answer.status !== 200) throw failure(answer.data)
      return decisionOf(answer.data, stage)
    },

    async runEvents(workflowId) {
      const answer = await getWorkflowEventsPage(workflowId)
      if (answer.status !== 200) throw failure(answer.data)
      return answer.data.events.flatMap(ofRun)
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

function failure({ code, detail }: Problem): Error {
  return new Error(`${code}: ${detail}`)
}

function refusal({ status, code, detail, errors }: Problem): Refusal {
  return { status, code, detail, ...(errors && { paths: errors.map(({ path }) => path) }) }
}
