/** A stage service that works briefly, and records when each call began and ended. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { answering } from './answering.ts'

/** Long enough to queue another job meanwhile. */
const WORK_MS = 40

const noted = new Map<string, { calledAt: number; answeredAt: number }>()
const server = createServer(async (request, response) => {
  const calledAt = performance.now()
  // Workers also ask for the list of stages, which is optional.
  if (request.method !== 'POST') return void response.writeHead(404).end()
  let text = ''
  for await (const chunk of request) text += chunk
  const { job_id, workflow_id } = JSON.parse(text)
  await delay(WORK_MS)
  const stage = Number(/stages\/(\d+)\//.exec(request.url ?? '')?.[1])
  const answer = { success: true, stage, workflow_id, job_id, artifacts: [], duration_ms: WORK_MS }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  await once(response, 'finish')
  noted.set(`${workflow_id} ${stage}`, { calledAt, answeredAt: performance.now() })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** For each workflow, the time from stage 1's answer to the call of stage 2, in ms. */
const gaps = (workflows: string[]) =>
  workflows.map((id) => {
    const [first, second] = [noted.get(`${id} 1`), noted.get(`${id} 2`)]
    return first && second ? second.calledAt - first.answeredAt : Number.NaN
  })
answering({ url }, { gaps })
