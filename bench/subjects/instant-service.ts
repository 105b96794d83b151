/** A stage service that answers every job at once. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answering } from './answering.ts'

const server = createServer(async (request, response) => {
  // Workers also ask for the list of stages, which is optional.
  if (request.method !== 'POST') return void response.writeHead(404).end()
  let text = ''
  for await (const chunk of request) text += chunk
  const { job_id, workflow_id } = JSON.parse(text)
  const answer = { success: true, stage: 2, workflow_id, job_id, artifacts: [], duration_ms: 1 }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
answering({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
