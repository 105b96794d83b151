/** A gate in a terminal: shows what the stage made and asks whether to approve it. */
import { createInterface, type Interface } from 'node:readline/promises'
import type { Verdict } from '../contract/run.ts'
import { cut, plain } from '../packages/client/terminal/terminal-text.ts'

export interface Gate {
  stage: number
  title: string
  /** The stage's own answer. */
  results: Record<string, unknown>
  /** Where its files are. */
  folder: string
  files: readonly string[]
}

export interface Decided {
  verdict: Verdict
  reason?: string
}

const SHOWN_GAPS = 3

export function gateText({ stage, title, results, folder, files }: Gate, width: number): string {
  const { summary, counts, gaps } = results
  const lines = [`Stage ${stage}, ${title}, waits for your sign-off. It says:`]
  const say = (text: string) => lines.push(cut(`  ${text}`, width))
  if (typeof summary === 'string') say(summary)
  else if (isObject(counts)) say(countsText(counts))
  const texts = (Array.isArray(gaps) ? gaps : []).flatMap((gap) => (isObject(gap) ? textOf(gap) : []))
  for (const text of texts.slice(0, SHOWN_GAPS)) say(`- ${text}`)
  if (texts.length > SHOWN_GAPS) say(`  … and ${texts.length - SHOWN_GAPS} more`)
  lines.push(`Its files are ${files.map(plain).join(', ')} in`, `  ${folder}`)
  return lines.join('\n')
}

function countsText(counts: Record<string, unknown>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`)
  return `${parts.join(', ')}.`
}

function textOf({ section, text }: Record<string, unknown>): string[] {
  if (typeof text !== 'string') return []
  return [typeof section === 'string' && /\w/.test(section) ? `${section}: ${text}` : text]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Asks until there is an answer. Throws the reason of `signal`, and when the input ends. */
export async function askAtGate(signal: AbortSignal): Promise<Decided> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // At a prompt, Ctrl-C is a key: it reaches the process only as this event.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    for (;;) {
      const answer = (await ask(terminal, 'Approve it? (y/n) ', signal)).toLowerCase()
      if (answer === 'y' || answer === 'yes') return { verdict: 'approved' }
      if (answer !== 'n' && answer !== 'no') continue
      const reason = await ask(terminal, 'Why not? ', signal)
      if (reason !== '') return { verdict: 'rejected', reason }
      console.log('A rejection needs a reason.')
    }
  } finally {
    terminal.close()
  }
}

function ask(terminal: Interface, question: string, signal: AbortSignal): Promise<string> {
  const ended = new Promise<never>((_, reject) =>
    terminal.once('close', () => reject(new Error('the input ended before the gate was decided'))),
  )
  const asked = terminal.question(question, { signal }).then(
    (answer) => answer.trim(),
    (error) => {
      throw signal.aborted ? signal.reason : error
    },
  )
  ended.catch(() => {})
  return Promise.race([asked, ended])
}
