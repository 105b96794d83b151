/** The commands. Each makes a few calls with the client. */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { JobStatus } from '../../../contract/events.ts'
import { ConnectionError, type JobReference, type RunReference } from '../index.ts'
import { type Command, EXIT, type Options, readNumber, UsageError } from './command.ts'
import { type Commands, type Context, readInputs, STAGES } from './context.ts'
import { tellJob, tellJobs } from './output.ts'
import { tellPreview } from './preview.ts'
import { RUN_COMMANDS, tellRun, watchRun } from './runs.ts'
import { plain } from './terminal-text.ts'

const LITERATURE_SEARCH = '2'
/** The most jobs to list, over several pages. */
const MOST_LISTED = 1000

const COMMANDS: Commands = {
  ...RUN_COMMANDS,

  async run({ words, options }, context) {
    const { stagecast, output, signal } = context
    const stage = readNumber(words[0], 'STAGE', STAGES)
    const { question, workflow = randomUUID(), key, inputs } = options
    const request = {
      workflow_id: workflow,
      ...(question !== undefined && { research_question: question }),
      ...(inputs !== undefined && { inputs: readInputs(inputs) }),
    }
    const job = await stagecast.execute(stage, request, { idempotencyKey: key, signal })
    if (options.detach) {
      const { urls: _, ...named } = job
      output.result(named, `${stage} ${job.job_id}`)
      return EXIT.ok
    }
    output.note(`Job ${job.job_id} of stage ${stage}, workflow ${workflow}`)
    return watch(job, undefined, context)
  },

  async preview({ words, options }, { stagecast, output, signal }) {
    const stage = readNumber(words[0] ?? LITERATURE_SEARCH, 'STAGE', STAGES)
    const { question, inputs = '{}' } = options
    const request = {
      // A preview belongs to no other workflow, so it gets a new one.
      workflow_id: randomUUID(),
      ...(question !== undefined && { research_question: question }),
      inputs: { ...readInputs(inputs), preview: true },
    }
    const job = await stagecast.execute(stage, request, { signal })
    output.note(`Job ${job.job_id} of stage ${stage} only counts hits; no papers are read.`)
    for await (const { event, data } of stagecast.watch(job, { signal })) {
      if (event === 'retrying') output.note(`${data.error.message} Another attempt follows.`)
    }
    const { result, error, status } = await stagecast.status(job, { signal })
    if (!result) {
      output.note(error ? `${error.code}: ${error.message}` : `The job is ${status}.`)
      return status === 'cancelled' ? EXIT.cancelled : EXIT.failed
    }
    const { results = {} } = result
    output.result(results, tellPreview(results, process.stdout.columns))
    return EXIT.ok
  },

  async watch({ words, options: { after } }, context) {
    const run = runOf(words)
    if (!run) return watch(jobOf(words), after, context)
    if (after !== undefined) throw new UsageError('watch WORKFLOW RUN does not take --after')
    return watchRun(run, context)
  },

  async status({ words }, { stagecast, output, signal }) {
    const reference = runOf(words)
    if (reference) {
      const run = await stagecast.runs.get(reference, { signal })
      output.result(run, tellRun(run))
      return EXIT.ok
    }
    const job = await stagecast.status(jobOf(words), { signal })
    output.result(job, tellJob(job))
    return EXIT.ok
  },

  async cancel({ words }, { stagecast, output, signal }) {
    const run = runOf(words)
    const answer = run
      ? await stagecast.runs.cancel(run, { signal })
      : await stagecast.cancel(jobOf(words), { signal })
    output.result(answer, `The ${run ? 'run' : 'job'} is ${answer.status}.`)
    return EXIT.ok
  },

  async artifacts({ words: [stage, id, ...names], options: { out = '.' } }, { stagecast, output, signal }) {
    const job = jobOf([stage, id])
    const { result, status } = await stagecast.status(job, { signal })
    const there = result?.artifacts ?? []
    if (names.length === 0) {
      output.result({ artifacts: there }, there.map(plain).join('\n') || `No files: the job is ${status}.`)
      return EXIT.ok
    }
    await mkdir(out, { recursive: true })
    for (const name of names) {
      const { body } = await stagecast.artifact(job, name, { signal })
      // The name comes from the service, so only its last part may become a file name.
      const path = join(out, basename(name))
      await pipeline(received(body, signal), createWriteStream(path), { signal })
      output.result({ name, path }, path)
    }
    return EXIT.ok
  },

  async list({ options }, { stagecast, output, signal }) {
    const wanted = readNumber(options.limit ?? '25', '--limit', MOST_LISTED)
    const jobs = []
    let after: string | undefined
    do {
      const page = await stagecast.jobs(
        { ...filterOf(options), limit: Math.min(wanted, 100), after },
        { signal },
      )
      jobs.push(...page.jobs)
      after = page.next ?? undefined
    } while (after !== undefined && jobs.length < wanted)
    jobs.splice(wanted)
    output.result({ jobs }, tellJobs(jobs, process.stdout.columns))
    return EXIT.ok
  },
}

/** Returns the exit code. */
export function runCommand(command: Command, context: Context): Promise<number> {
  return (COMMANDS[command.name] as Commands[string])(command, context)
}

/** Distinguishes a broken download from a file that cannot be written. */
async function* received(body: Response['body'], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* Readable.fromWeb(body as never)
  } catch (error) {
    signal.throwIfAborted()
    throw new ConnectionError(error)
  }
}

/** Watches until the job ends, and returns the exit code for its end. */
async function watch(job: JobReference, after: string | undefined, { stagecast, output, signal }: Context) {
  const onTransport = (transport: string) => {
    if (transport === 'polling') output.note('A proxy buffers the event stream: polling instead')
    if (transport === 'waiting') output.note('Connection lost: reconnecting')
  }
  let end: string | undefined
  try {
    for await (const event of stagecast.watch(job, { after, signal, onTransport })) {
      output.event(event)
      end = event.event === 'gap' ? event.data.status : event.event
    }
  } finally {
    output.endEvents()
    if (signal.aborted)
      output.note(
        `The job is still running. To resume watching: npm run -s stage -- watch ${job.stage} ${job.job_id}`,
      )
  }
  // Watching resumed after the end, so there was no event to show.
  end ??= (await stagecast.status(job, { signal })).status
  return end === 'completed' ? EXIT.ok : end === 'cancelled' ? EXIT.cancelled : EXIT.failed
}

/** The run, if the words are the IDs of a workflow and a run instead of a stage and a job. */
function runOf([workflow_id = '', run_id = '']: string[]): RunReference | null {
  return /^[0-9a-f]{8}-/i.test(workflow_id) ? { workflow_id, run_id } : null
}

function jobOf([stage, id = '']: (string | undefined)[]): JobReference {
  return { stage: readNumber(stage, 'STAGE', STAGES), job_id: id }
}

function filterOf({ stage, status, workflow }: Options) {
  return {
    ...(stage !== undefined && { stage: readNumber(stage, '--stage', STAGES) }),
    // Let the API refuse an unknown status.
    ...(status !== undefined && { status: status as JobStatus }),
    ...(workflow !== undefined && { workflow_id: workflow }),
  }
}
