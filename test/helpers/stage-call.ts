/** Makes one call with the stage client and collects everything that it reports. */
import type { Test } from 'tap'
import type { JobData } from '../../contract/job.ts'
import type { StageAnswer } from '../../contract/service.ts'
import { NO_TRACING } from '../../contract/tracing.ts'
import { StageFailure } from '../../workers/failure.ts'
import { type StageCall, StageClient, type StageClientOptions } from '../../workers/stage-client.ts'
import { type Answer, type FakeStageService, fakeStageService } from './stage-service.ts'

export const job: JobData = {
  stage: 2,
  job_id: '550e8400-e29b-41d4-a716-446655440000',
  workflow_id: '123e4567-e89b-12d3-a456-426614174000',
  research_question: 'Does sleep change memory?',
  user_id: 'alice',
  timestamp: 1000,
  inputs: { max_results: 5 },
}

export interface Called {
  answer?: StageAnswer
  failure?: StageFailure
  thrown?: unknown
  progress: [number, string | undefined][]
  alive: number
}

export async function callAt(
  t: Test,
  url: string,
  given: Partial<StageClientOptions & StageCall>,
): Promise<Called> {
  const { timeoutMs = 20_000, silenceMs = 10_000, maxResultBytes = 100_000, proxy = {}, ...rest } = given
  const client = new StageClient({ url, timeoutMs, silenceMs, maxResultBytes, proxy, tracing: NO_TRACING })
  t.teardown(() => client.close())
  const called: Called = { progress: [], alive: 0 }
  try {
    called.answer = await client.call({
      job,
      attempt: 2,
      trace: null,
      signal: new AbortController().signal,
      onAlive: () => {
        called.alive += 1
      },
      onProgress: async (percent, message) => void called.progress.push([percent, message]),
      ...rest,
    })
  } catch (error) {
    called.thrown = error
    if (error instanceof StageFailure) called.failure = error
  }
  return called
}

export async function call(
  t: Test,
  answer: Answer,
  given: Partial<StageClientOptions & StageCall> = {},
): Promise<Called & { service: FakeStageService }> {
  const service = await fakeStageService(t, answer)
  return { service, ...(await callAt(t, service.url, given)) }
}
