/** `npm run -s stage -- …`: the API from a terminal. */
import { ConnectionError, Stagecast, StagecastError } from '../index.ts'
import { type Command, EXIT, HELP, readCommand, UsageError } from './command.ts'
import { runCommand } from './commands.ts'
import { createOutput } from './output.ts'
import { plain } from './terminal-text.ts'

const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')))
// The reader of the output may quit early, as `head` does.
process.stdout.on('error', () => process.exit(EXIT.ok))
process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  try {
    const command = readCommand(args)
    if (command.name !== 'help') return await run(command)
    process.stdout.write(`${HELP}\n`)
    return EXIT.ok
  } catch (error) {
    process.stderr.write(`${explain(error as Error)}\n`)
    return interrupt.signal.aborted ? EXIT.interrupted : exitOf(error as Error)
  }
}

function run(command: Command): Promise<number> {
  const { url, token, json } = command.options
  const baseUrl = url ?? process.env.STAGECAST_URL ?? 'http://127.0.0.1:3001'
  if (!/^https?:\/\/[^/]/i.test(baseUrl))
    throw new UsageError(`--url must be like http://127.0.0.1:3001, not ${baseUrl}`)
  const stagecast = new Stagecast({ baseUrl, token: token ?? process.env.STAGECAST_TOKEN })
  const output = createOutput(process, json ?? !process.stdout.isTTY)
  return runCommand(command, { stagecast, output, signal: interrupt.signal })
}

function explain(error: Error): string {
  if (interrupt.signal.aborted) return 'Stopped.'
  if (error instanceof UsageError)
    return `${plain(error.message)}\nnpm run -s stage -- --help shows the usage.`
  if (error instanceof StagecastError) {
    const faults =
      error.problem.errors?.map(({ path, message }) => `\n  ${plain(`${path} ${message}`)}`) ?? []
    return `${error.code}: ${plain(error.message)}${faults.join('')}`
  }
  if (!(error instanceof ConnectionError)) return plain(error.message)
  // Node puts its own reason into the cause of what `fetch` throws.
  const { code = '' } = ((error.cause as Error | undefined)?.cause ?? {}) as { code?: string }
  return `${plain(error.message)}${code && ` (${code})`}: is the API running, and is --url right?`
}

function exitOf(error: Error): number {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof ConnectionError) return EXIT.unreachable
  if (!(error instanceof StagecastError)) return EXIT.failed
  if ([401, 403, 404].includes(error.status)) return EXIT.refused
  return error.status === 429 || error.status >= 500 ? EXIT.unreachable : EXIT.usage
}
