/**
 * `npm run demo [-- "another question"]`: starts everything embedded and executes stage 2 over HTTP like any client; with
 * `--workflow` a run of five stages. Exit code 0, 1 with an explanation, or 2 for invalid options.
 */
import { join } from 'node:path'
import { StagecastError } from '../packages/client/index.ts'
import { plain } from '../packages/client/terminal/terminal-text.ts'
import { type DemoOptions, readOptions, USAGE, UsageError } from './demo-options.ts'
import { demoReview } from './demo-review.ts'
import { type DemoServer, startServer } from './demo-server.ts'
import { demoWorkflow } from './demo-workflow.ts'

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupt.abort(new Error(`stopped by ${signal}`)))
}
// The reader of the output may exit early, as `head` does.
for (const output of [process.stdout, process.stderr])
  output.on('error', () => interrupt.abort(new Error('stopped: its output was closed')))
process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  try {
    const canAsk = process.stdin.isTTY === true && process.stdout.isTTY === true
    const options = readOptions(args, canAsk)
    if (options) return await demo(options, interrupt.signal)
    console.log(USAGE)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${USAGE}`)
    return 2
  }
}

async function demo(options: DemoOptions, interrupted: AbortSignal): Promise<number> {
  const dataDir = process.env.STAGECAST_DATA || join('.stagecast', 'demo', timestamp())
  const what = options.workflow
    ? 'A workflow of five stages, from a question to a manuscript,'
    : 'Stage 2, the literature review,'
  console.log(`${what} over HTTP on this machine. All records are invented samples.`)
  console.log(`\nQuestion  ${plain(options.question)}`)
  let server: DemoServer | undefined
  try {
    server = await startServer(dataDir)
    if (interrupted.aborted) throw interrupted.reason
    console.log(`Server    ${server.url} (Redis, API, worker and stage service)`)
    const walk = options.workflow ? demoWorkflow : demoReview
    await Promise.race([walk(server.url, dataDir, options, interrupted), server.failed])
    return 0
  } catch (error) {
    if (interrupted.aborted) console.error(`\nThe demo was ${interrupted.reason.message}.`)
    else console.error(`\nThe demo failed: ${explain(error as Error)}`)
    return interrupted.aborted ? 130 : 1
  } finally {
    // Closes an event stream that is still open.
    interrupt.abort()
    await server?.stop()
  }
}

/** Formats an API error with its fault per field. */
function explain(error: Error): string {
  if (!(error instanceof StagecastError)) return error.message
  const faults = error.problem.errors?.map(({ path, message }) => `\n  ${path}: ${message}`) ?? []
  return `The API answered ${error.status}: ${error.message}${faults.join('')}`
}

/** A sortable, readable timestamp for a file name. */
function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}-${process.pid}`
}
