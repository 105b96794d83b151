/** swagger-typescript-api: a class with a method per operation, which throws error responses. */
import {
  Api,
  type JobEvent,
  type JobStreamData,
  type JobSummary,
  type Problem,
  type RunAccepted,
  Verdict,
  type WorkflowEvent,
} from '../generated/swagger-typescript-api'
import type { Adapter, Connect, Refusal, Seen } from './adapter.ts'
import { frames } from './frames.ts'
import { decisionOf, stateOf } from './run-state.ts'

export const connect: Connect = ({ baseUrl, token }): Adapter => {
  const { api } = new Api<string>({
    baseUrl,
    securityWorker: () => ({ headers: { authorization: `Bearer ${token}` } }),
  })
  const keyed = (idempotencyKey: string) => ({ headers: { 'idempotency-key': idempotencyKey } })
  return {
    async stages() {
      return (await api.listStages()).data.stages.map(({ slug }) => slug)
    },

    async review({ idempotencyKey, ...body }) {
      return (await api.executeStage2(body, keyed(idempotencyKey))).data
    },

    async proposal({ idempotencyKey, ...body }) {
      const inputs = { whatever: ['fits'] }
      return (await api.executeStage3({ ...body, inputs }, keyed(idempotencyKey))).data
    },

    refusedReview({ idempotencyKey: _, ...body }) {
      return refused(api.executeStage2(body))
    },

    async status({ stage, job_id }, after, wait) {
      const query = { ...(after && { after }), ...(wait && { wait }) }
      const { data } = await api.getJobStatus(stage, job_id, query)
      return { status: data.status, cursor: data.cursor, finished: data.finished_at !== null }
    },

    async page({ stage, job_id }, after) {
      const { data } = await api.getJobEventsPage(stage, job_id, after ? { after } : {})
      return { ...data, events: data.events.map(seen) }
    },

    async *watch({ stage, job_id }) {
      // Without a known format it does not read the body, so we can read the bytes.
      const { body } = await api.getJobEvents(stage, job_id, {}, { format: undefined })
      for await (const { id, event, data: text } of frames(body as ReadableStream<Uint8Array>)) {
        const told: JobStreamData = JSON.parse(text)
        if ('at' in told) yield seen({ id, event, data: told } as JobEvent)
      }
    },

    async cancel({ stage, job_id }) {
      // Its type is that of the 200; a 202 says `cancelling`.
      const { data } = await api.cancelJob(stage, job_id)
      return data.status as 'cancelling' | 'cancelled'
    },

    refusedCancel({ stage, job_id }) {
      return refused(api.cancelJob(stage, job_id))
    },

    async artifact({ stage, job_id }, name) {
      return (await api.getArtifact(stage, job_id, name, { format: 'blob' })).data.text()
    },

    async ticket({ stage, job_id }) {
      return (await api.createTicket(stage, job_id)).data.events_url
    },

    async jobs(workflow_id, limit) {
      const jobs: JobSummary[] = []
      let after: string | null | undefined
      do {
        const { data } = await api.listJobs({ workflow_id, limit, ...(after && { after }) })
        jobs.push(...data.jobs)
        after = data.next
      } while (after !== null)
      return jobs
    },

    async plan(workflowId, stages) {
      const { data } = await api.startRun(workflowId, { stages }, { plan: true })
      return data.steps.map((step) => [step.action, step.because, step.sign_off])
    },

    async startRun(workflowId, stages, key) {
      // Its type is that of the 200, which is a plan.
      const { data } = await api.startRun(workflowId, { stages }, {}, keyed(key))
      return data as unknown as RunAccepted
    },

    refusedRun(workflowId, stages) {
      return refused(api.startRun(workflowId, { stages }))
    },

    async run({ workflow_id, run_id }, after, wait) {
      return stateOf((await api.getRun(workflow_id, run_id, { ...(after && { after }), wait })).data)
    },

    async signOffs() {
      return (await api.listSignOffs()).data.sign_offs
    },

    async approve({ workflow_id, run_id }, stage, digest) {
      const { data } = await api.signOff(workflow_id, run_id, stage, { verdict: Verdict.Approved, digest })
      return decisionOf(data, stage)
    },

    async runEvents(workflowId) {
      return (await api.getWorkflowEventsPage(workflowId)).data.events.flatMap(ofRun)
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
  const answer = await request.then(
    () => null,
    (answer: { error?: Problem }) => answer.error,
  )
  if (!answer) throw new Error('it was not refused')
  const { status, code, detail, errors } = answer
  return { status, code, detail, ...(errors && { paths: errors.map(({ path }) => path) }) }
}
