/** Reads the command line. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Exit codes for scripts: see the help. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  cancelled: 3,
  refused: 4,
  unreachable: 5,
  interrupted: 130,
} as const

export const HELP = `Runs stages from a terminal.

  npm run -s stage -- run STAGE --question "…"      start a job and watch it to its end
  npm run -s stage -- preview [STAGE] --question "…" show the search and its hits, without running it (stage 2)
  npm run -s stage -- watch STAGE JOB               watch a job
  npm run -s stage -- status STAGE JOB              show its state
  npm run -s stage -- cancel STAGE JOB              cancel it
  npm run -s stage -- artifacts STAGE JOB [NAME…]   list its files, or save those named
  npm run -s stage -- list                          list your jobs, newest first
  npm run -s stage -- plan STAGE…                   show what a run of several stages would do, and why
  npm run -s stage -- run-workflow STAGE…           start a run and watch it until it ends or waits for a sign-off
  npm run -s stage -- sign-off                      list the steps that wait for your sign-off
  npm run -s stage -- sign-off WORKFLOW RUN STAGE --approve DIGEST    decide; --reject DIGEST needs --reason TEXT

watch, status and cancel also take a run: WORKFLOW RUN instead of STAGE JOB.

  --url URL            the API (STAGECAST_URL, else http://127.0.0.1:3001)
  --token TOKEN        a JWT (STAGECAST_TOKEN); other users can see it in the process list
  --json               JSON lines, the default in a pipe
  run:       --question TEXT, --workflow UUID (a new one), --inputs JSON, --key IDEMPOTENCY-KEY, --detach
  preview:   --question TEXT, --inputs JSON
  watch:     --after ID (from the first event)
  artifacts: --out FOLDER (the current one)
  list:      --stage N, --status STATUS, --workflow UUID, --limit N (25)
  plan, run-workflow: --question TEXT, --workflow UUID (a new one), --inputs JSON by stage, --rerun STAGE (repeatable),
             --name TEXT; run-workflow also --key IDEMPOTENCY-KEY, --detach

Ctrl-C stops watching, not the job. Exit codes: 0 the job completed, or the command succeeded; 1 the job failed, or
a file cannot be written; 2 the command or the request is wrong; 3 the job was cancelled; 4 no permission, or no such
job; 5 the API cannot be reached; 130 Ctrl-C. For a run: 0 also while it waits for a sign-off, 1 if rejected, 3 if superseded.`

/** The command line is wrong; the message says why. */
export class UsageError extends Error {}

const OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  question: { type: 'string', short: 'q' },
  workflow: { type: 'string' },
  inputs: { type: 'string' },
  key: { type: 'string' },
  detach: { type: 'boolean' },
  after: { type: 'string' },
  out: { type: 'string' },
  stage: { type: 'string' },
  status: { type: 'string' },
  limit: { type: 'string' },
  rerun: { type: 'string', multiple: true },
  name: { type: 'string' },
  approve: { type: 'string' },
  reject: { type: 'string' },
  reason: { type: 'string' },
} as const satisfies ParseArgsConfig['options']

/** Options by name, as typed. */
export type Options = ReturnType<typeof parse>['values']

const RUN_OPTIONS: (keyof Options)[] = ['question', 'workflow', 'inputs', 'rerun', 'name']

/** The words and options of each command, besides the options common to all. */
const COMMANDS: Record<string, { words: [least: number, most: number]; options: (keyof Options)[] }> = {
  run: { words: [1, 1], options: ['question', 'workflow', 'inputs', 'key', 'detach'] },
  preview: { words: [0, 1], options: ['question', 'inputs'] },
  watch: { words: [2, 2], options: ['after'] },
  status: { words: [2, 2], options: [] },
  cancel: { words: [2, 2], options: [] },
  artifacts: { words: [2, Number.POSITIVE_INFINITY], options: ['out'] },
  list: { words: [0, 0], options: ['stage', 'status', 'workflow', 'limit'] },
  plan: { words: [1, 100], options: RUN_OPTIONS },
  'run-workflow': { words: [1, 100], options: [...RUN_OPTIONS, 'key', 'detach'] },
  'sign-off': { words: [0, 3], options: ['approve', 'reject', 'reason'] },
}
const FOR_ALL: readonly string[] = ['url', 'token', 'json', 'help']

export interface Command {
  name: string
  words: string[]
  options: Options
}

/** Throws `UsageError`. Without a command, or with `help`, returns the command `help`. */
export function readCommand(args: readonly string[]): Command {
  const { positionals, values } = parse(args)
  const [name = 'help', ...words] = positionals
  if (values.help || name === 'help') return { name: 'help', words: [], options: values }
  const command = COMMANDS[name]
  if (!command)
    throw new UsageError(`unknown command ${name}; use one of ${Object.keys(COMMANDS).join(', ')}`)
  const strange = Object.keys(values).find(
    (option) => !FOR_ALL.includes(option) && !(command.options as string[]).includes(option),
  )
  if (strange) throw new UsageError(`${name} does not take --${strange}`)
  const [least, most] = command.words
  if (words.length < least) throw new UsageError(`${name} needs ${least === 1 ? 'STAGE' : 'STAGE and JOB'}`)
  if (words.length > most) throw new UsageError(`${name} does not take ${words.slice(most).join(' ')}`)
  return { name, words, options: values }
}

/** Reads a whole number from 1 to `most`. */
export function readNumber(text: string | undefined, what: string, most: number): number {
  const number = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= most) return number
  throw new UsageError(`${what} must be a whole number from 1 to ${most}, not ${text}`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
