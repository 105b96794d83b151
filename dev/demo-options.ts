/** The options of the demo. */
import { parseArgs } from 'node:util'

const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'

export interface DemoOptions {
  question: string
  /** Walk a workflow instead of one stage. */
  workflow: boolean
  /** Approve at every gate instead of asking. */
  approve: boolean
}

export const USAGE = `npm run demo                                 reviews the shipped sample of literature
npm run demo -- "another question"           asks another question
npm run demo -- --workflow ["question"]      runs five stages, from the question to a manuscript; asks at each gate
npm run demo -- --workflow --approve         approves at each gate without asking`

export class UsageError extends Error {}

/** `canAsk`: whether a person is at a terminal. Returns null if help is requested; throws a `UsageError`. */
export function readOptions(args: string[], canAsk: boolean): DemoOptions | null {
  const { values, positionals } = parse(args)
  const { workflow = false, approve = false, help = false } = values
  if (help) return null
  if (approve && !workflow) throw new UsageError('--approve is for --workflow: one stage has no gate.')
  if (workflow && !approve && !canAsk)
    throw new UsageError('There is no terminal to ask at the gates of the workflow. Add --approve.')
  return { question: positionals.join(' ').trim() || QUESTION, workflow, approve }
}

function parse(args: string[]) {
  const flag = { type: 'boolean' } as const
  try {
    const options = { workflow: flag, approve: flag, help: flag }
    return parseArgs({ args, allowPositionals: true, options })
  } catch (error) {
    // Drop the second sentence, which says how to pass such a text as a question: through npm that does not work.
    throw new UsageError((error as Error).message.split('. ')[0])
  }
}
