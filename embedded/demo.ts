/**
 * `npm run demo [-- "another question"]`: starts everything embedded, asks for stage 2 over HTTP as any client
 * would, shows its progress live and the review at the end. Exit code 0, or 1 with what went wrong.
 */
import { randomUUID } from 'node:crypto'
import { join, relative } from 'node:path'
import { execute, fetchArtifact, watch } from './demo-client.ts'
import { type DemoServer, startServer } from './demo-server.ts'
import { progressBar } from './progress-bar.ts'
import { reviewTable } from './review-table.ts'
import { plain } from './terminal-text.ts'

const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'
const ARTIFACT = 'literature_review.json'
const DEFAULT_COLUMNS = 100

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupt.abort(new Error(`stopped by ${signal}`)))
}
// Whoever reads may go away in the middle, as `head` does.
for (const output of [process.stdout, process.stderr])
  output.on('error', () => interrupt.abort(new Error('stopped: nobody reads what it says')))
process.exitCode = await demo(process.argv.slice(2).join(' ').trim() || QUESTION, interrupt.signal)

async function demo(question: string, interrupted: AbortSignal): Promise<number> {
  const dataDir = process.env.STAGECAST_DATA || join('.stagecast', 'demo', timestamp())
  console.log(
    'Stage 2, the literature review, over HTTP on this machine. The records are a shipped sample: invented.',
  )
  console.log(`\nQuestion  ${plain(question)}`)
  let server: DemoServer | undefined
  try {
    server = await startServer(dataDir)
    if (interrupted.aborted) throw interrupted.reason
    console.log(`Server    ${server.url} (Redis, API, worker and stage service)`)
    await Promise.race([ask(server.url, question, dataDir, interrupted), server.failed])
    return 0
  } catch (error) {
    const { message } = error as Error
    console.error(interrupted.aborted ? `\nThe demo was ${message}.` : `\nThe demo failed: ${message}`)
    return interrupted.aborted ? 130 : 1
  } finally {
    // Closes an event stream that is still open.
    interrupt.abort()
    await server?.stop()
  }
}

async function ask(base: string, question: string, dataDir: string, interrupted: AbortSignal): Promise<void> {
  const { job_id, urls } = await execute(base, randomUUID(), question)
  console.log(`Job       ${job_id}\n`)
  const bar = progressBar(process.stdout)
  const end = await watch(new URL(urls.events, base), bar.show, interrupted).finally(bar.end)
  if (end.status !== 'completed') {
    throw new Error(`the job ended as ${end.status}: ${end.error?.code} ${plain(end.error?.message ?? '')}`)
  }

  const path = `/api/workflow/stages/2/jobs/${job_id}/artifacts/${ARTIFACT}`
  const review = await fetchArtifact(base, path)
  console.log(`\n${reviewTable(review, (process.stdout.columns ?? DEFAULT_COLUMNS) - 1)}\n`)
  const file = join(dataDir, 'stage-service', 'jobs', job_id, 'artifacts', ARTIFACT)
  console.log(`The review is in ${relative('', file)}`)
  console.log('To ask the API for it again:\n')
  console.log(`  STAGECAST_DATA=${relative('', dataDir)} npm run dev`)
  console.log(`  curl -H 'Authorization: Bearer test-token' http://127.0.0.1:3001${path}`)
}

/** Of this second, readable and in order as a name. */
function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}-${process.pid}`
}
