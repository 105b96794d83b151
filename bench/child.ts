/** A program from `subjects/` in a separate process that answers questions. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'

export interface ChildOptions {
  env?: Record<string, string>
  /** For V8, e.g. `--expose-gc`. */
  flags?: string[]
}

/** CPU time in µs, user and system; resident set in bytes, after a collection where `--expose-gc` is set. */
export interface Usage {
  cpu: number
  rss: number
  heap: number
}

export class Child {
  /** The program's ready message. */
  readonly ready: Record<string, unknown>
  private readonly process: ChildProcess
  private readonly pending = new Map<number, (answer: unknown) => void>()
  private asked = 0

  private constructor(process: ChildProcess, ready: Record<string, unknown>) {
    this.process = process
    this.ready = ready
    process.on('message', ({ id, answer }: { id: number; answer: unknown }) => this.pending.get(id)?.(answer))
  }

  static async start(subject: string, { env = {}, flags = [] }: ChildOptions): Promise<Child> {
    const program = join(import.meta.dirname, 'subjects', `${subject}${extname(import.meta.filename)}`)
    const child = fork(program, {
      env: { PATH: process.env.PATH, ...env },
      execArgv: [...process.execArgv, ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    const message = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (typeof message[0] !== 'object' || message[0] === null) throw new Error(`${subject} did not start`)
    return new Child(child, message[0])
  }

  get url(): string {
    return String(this.ready.url)
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** Sends a question to the program and returns its answer. */
  ask<T = unknown>(question: string, data?: unknown): Promise<T> {
    const id = ++this.asked
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error(`the program ended while it was asked: ${question}`))
      this.process.once('exit', gone)
      this.pending.set(id, (answer) => {
        this.pending.delete(id)
        this.process.off('exit', gone)
        const { error } = Object(answer) as { error?: string }
        if (error) reject(new Error(error))
        else resolve(answer as T)
      })
      this.process.send({ id, question, data })
    })
  }

  usage(): Promise<Usage> {
    return this.ask('usage')
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = once(this.process, 'exit')
    // The program ends when its channel closes. If it were killed, it would write no profile.
    this.process.disconnect()
    const late = setTimeout(() => this.process.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(late)
  }
}
