/** openapi-fetch with the types of openapi-typescript. */
import createClient from 'openapi-fetch'
import type { components, paths } from '../generated/openapi-typescript.ts'
import type { Adapter, Connect, Refusal, Seen } from './adapter.ts'
import { frames } from './frames.ts'
import { decisionOf, stateOf } from './run-state.ts'

type Schemas = components['schemas']

const RUNS = '/api/workflow/workflows/{workflow_id}/runs'
const JOB = '/api/workflow/stages/{stage}/jobs/{job_id}'

export const connect: Connect = ({ baseUrl, token }): Adapter => {
  const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } })
  return {
    async stages() {
      const { data, error } = await api.GET('/api/workflow/stages')
      if (error) throw failure(error)
      return data.stages.map(({ slug }) => slug)
    },

    async review({ idempotencyKey, ...body }) {
      const { data, error } = await api.POST('/api/workflow/stages/2/execute', {
        params: { header: { 'idempotency-key': idempotencyKey } },
        body,
      })
      if (error) throw failure(error)
      return data
    },

    async proposal({ idempotencyKey, ...body }) {
      const { data, error } = await api.POST('/api/workflow/stages/3/execute', {
        params: { header: { 'idempotency-key': idempotencyKey } },
        body: { ...body, inputs: { whatever: ['fits'] } },
      })
      if (error) throw failure(error)
      return data
    },

    async refusedReview({ idempotencyKey: _, ...body }) {
      const { error } = await api.POST('/api/workflow/stages/2/execute', { body })
      return refusal(error)
    },

    async status(path, after, wait) {
      const query = { ...(after && { after }), ...(wait && { wait }) }
      const { data, error } = await api.GET(`${JOB}/status`, { params: { path, query } })
      if (error) throw failure(error)
      if (!data) throw new Error('304 although nothing was conditional')
      return { status: data.status, cursor: data.cursor, finished: data.finished_at !== null }
    },

    async page(path, after) {
      const { data, error } = await api.GET(`${JOB}/events/page`, {
        params: { path, query: after ? { after } : {} },
      })
      if (error) throw failure(error)
      return { ...data, events: data.events.map(seen) }
    },

    async *watch(path) {
      const { data, error } = await api.GET(`${JOB}/events`, { params: { path }, parseAs: 'stream' })
      if (error) throw failure(error)
      for await (const { id, event, data: text } of frames(data as ReadableStream<Uint8Array>)) {
        const told: Schemas['JobStreamData'] = JSON.parse(text)
        if ('at' in told) yield seen({ id, event, data: told } as Schemas['JobEvent'])
      }
    },

    async cancel(path) {
      const { data, error } = await api.POST(`${JOB}/cancel`, { params: { path } })
      if (error) throw failure(error)
      return data.status
    },

    async refusedCancel(path) {
      const { error } = await api.POST(`${JOB}/cancel`, { params: { path } })
      return refusal(error)
    },

    async artifact({ stage, job_id }, name) {
      const { data, error } = await api.GET(`${JOB}/artifacts/{name}`, {
        params: { path: { stage, job_id, name } },
        parseAs: 'text',
      })
      if (error) throw failure(error)
      return data ?? ''
    },

    async ticket(path) {
      const { data, error } = await api.POST(`${JOB}/tickets`, { params: { path } })
      if (error) throw failure(error)
      return data.events_url
    },

    async jobs(workflow_id, limit) {
      const jobs: Schemas['JobSummary'][] = []
      let after: string | null | undefined
      do {
        const query = { workflow_id, limit, ...(after && { after }) }
        const { data, error } = await api.GET('/api/workflow/jobs', { params: { query } })
        if (error) throw failure(error)
        jobs.push(...data.jobs)
        after = data.next
      } while (after !== null)
      return jobs
    },

    async plan(workflow_id, stages) {
      const params = { path: { workflow_id }, query: { plan: true } }
      const { data, error } = await api.POST(RUNS, { params, body: { stages } })
      if (error) throw failure(error)
      if ('run_id' in data) throw new Error('it was started')
      return data.steps.map((step) => [step.action, step.because, step.sign_off])
    },

    async startRun(workflow_id, stages, key) {
      const params = { path: { workflow_id }, header: { 'idempotency-key': key } }
      const { data, error } = await api.POST(RUNS, { params, body: { stages } })
      if (error) throw failure(error)
      if (!('run_id' in data)) throw new Error('it was planned')
      return data
    },

    async refusedRun(workflow_id, stages) {
      const { error } = await api.POST(RUNS, { params: { path: { workflow_id } }, body: { stages } })
      return refusal(error)
    },

    async run(path, after, wait) {
      const query = { ...(after && { after }), wait }
      const { data, error } = await api.GET(`${RUNS}/{run_id}`, { params: { path, query } })
      if (error) throw failure(error)
      if (!data) throw new Error('304 although nothing was conditional')
      return stateOf(data)
    },

    async signOffs() {
      const { data, error } = await api.GET('/api/workflow/sign-offs')
      if (error) throw failure(error)
      return data.sign_offs
    },

    async approve(run, stage, digest) {
      const params = { path: { ...run, stage } }
      const body = { verdict: 'approved' as const, digest }
      const { data, error } = await api.POST(`${RUNS}/{run_id}/steps/{stage}/sign-off`, { params, body })
      if (error) throw failure(error)
      return decisionOf(data, stage)
    },

    async runEvents(workflow_id) {
      const { data, error } = await api.GET('/api/workflow/workflows/{workflow_id}/events/page', {
        params: { path: { workflow_id } },
      })
      if (error) throw failure(error)
      return data.events.flatMap(ofRun)
    },
  }
}

/** What only some events have is reached by their type alone. */
function seen(one: Schemas['JobEvent']): Seen {
  const told = { id: one.id, event: one.event, progress: one.data.progress }
  if (one.event === 'completed') return { ...told, artifacts: one.data.result.artifacts }
  const hasError = one.event === 'retrying' || one.event === 'failed' || one.event === 'cancelled'
  return hasError ? { ...told, error: one.data.error.code } : told
}

function ofRun(one: Schemas['WorkflowEvent']): string[] {
  if (one.event === 'run') return [one.data.status]
  return one.event === 'sign_off' ? [one.data.verdict] : []
}

function failure({ code, detail }: Schemas['Problem']): Error {
  return new Error(`${code}: ${detail}`)
}

function refusal(problem: Schemas['Problem'] | undefined): Refusal {
  if (!problem) throw new Error('it was not refused')
  const { status, code, detail, errors } = problem
  return { status, code, detail, ...(errors && { paths: errors.map(({ path }) => path) }) }
}
