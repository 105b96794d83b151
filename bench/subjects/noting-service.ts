/** A stage service that works for a moment, and notes when it was called and when it had answered. */
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
  // Workers also ask which stages there are, which a service need not tell.
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

/** From the answer of stage 1 to the call of stage 2, in ms, of each workflow. */
const gaps = (workflows: string[]) =>
  workflows.map((id) => {
    const [first, second] = [noted.get(`${id} 1`), noted.get(`${id} 2`)]
    return first && second ? second.calledAt - first.answeredAt : Number.NaN
  })
answering({ url }, { gaps })
