/** The first-party client, which is not generated, does the same round. */
import { Stagecast, StagecastError } from '../../../packages/client/index.ts'
import type { Adapter, Connect, Refusal, Seen } from './adapter.ts'
import { decisionOf, stateOf } from './run-state.ts'

export const connect: Connect = (options): Adapter => {
  const stagecast = new Stagecast(options)
  return {
    async stages() {
      return (await stagecast.stages()).map(({ slug }) => slug)
    },
    review: ({ idempotencyKey, ...request }) => stagecast.execute(2, request, { idempotencyKey }),
    proposal: ({ idempotencyKey, ...request }) => stagecast.execute(3, request, { idempotencyKey }),
    refusedReview: ({ idempotencyKey: _, ...request }) => refusal(stagecast.execute(2, request)),

    async status(job, after, wait) {
      const { status, cursor, finished_at } = await stagecast.status(job, { after, wait })
      return { status, cursor, finished: finished_at !== null }
    },

    async *watch(job) {
      for await (const one of stagecast.watch(job)) {
        if (one.event === 'gap' || one.event === 'gone' || one.event === 'hint') continue
        const { id, event, data } = one
        const told: Seen = { id, event, progress: data.progress }
        if (one.event === 'completed') yield { ...told, artifacts: one.data.result.artifacts }
        else if (one.event === 'cancelled') yield { ...told, error: one.data.error.code }
        else yield told
      }
    },

    async cancel(job) {
      return (await stagecast.cancel(job)).status
    },
    refusedCancel: (job) => refusal(stagecast.cancel(job)),

    async artifact(job, name) {
      return (await stagecast.artifact(job, name)).text()
    },
    async ticket(job) {
      return (await stagecast.ticket(job)).events_url
    },

    async jobs(workflow_id, limit) {
      const jobs = []
      let after: string | null | undefined
      do {
        const page = await stagecast.jobs({ workflow_id, limit, ...(after && { after }) })
        jobs.push(...page.jobs)
        after = page.next
      } while (after !== null)
      return jobs
    },

    async plan(workflowId, stages) {
      const { steps } = await stagecast.runs.plan(workflowId, { stages })
      return steps.map(({ action, because, sign_off }) => [action, because, sign_off])
    },
    startRun: (workflowId, stages, idempotencyKey) =>
      stagecast.runs.start(workflowId, { stages }, { idempotencyKey }),
    refusedRun: (workflowId, stages) => refusal(stagecast.runs.start(workflowId, { stages })),
    run: async (run, after, wait) => stateOf(await stagecast.runs.get(run, { after, wait })),
    async signOffs() {
      return (await stagecast.runs.signOffs()).sign_offs
    },
    async approve(run, stage, digest) {
      return decisionOf(await stagecast.runs.signOff(run, stage, { verdict: 'approved', digest }), stage)
    },
  }
}

async function refusal(request: Promise<unknown>): Promise<Refusal> {
  const error = await request.then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  )
  if (!(error instanceof StagecastError)) throw error
  const { status, code, detail, errors } = error.problem
  return { status, code, detail, ...(errors && { paths: errors.map(({ path }) => path) }) }
}
