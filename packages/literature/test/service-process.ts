/** A stage service as a real child process, watched by its log lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface LogLine {
  msg: string
  job_id?: string
}

export interface ServiceProcess {
  url: string
  /** All output so far, from both streams. */
  output(): string
  /** The number of log lines of this job with this message. */
  count(msg: string, jobId: string): number
  /** Resolves once there is a log line of this job with this message; rejects if the process exits first. */
  logged(msg: string, jobId: string): Promise<void>
  /** Sends SIGTERM unless the process has exited; returns exit code and signal. */
  stop(): Promise<[number | null, NodeJS.Signals | null]>
}

export async function startProcess(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<ServiceProcess> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const log = watch(child)
  const url = await log.find(({ msg }) => /listening at (http:\S+)/.exec(msg)?.[1])
  const matching = (msg: string, jobId: string) => (line: LogLine) =>
    line.msg === msg && line.job_id === jobId
  return {
    url,
    output: log.output,
    count: (msg, jobId) => log.lines.filter(matching(msg, jobId)).length,
    logged: async (msg, jobId) => void (await log.find((line) => matching(msg, jobId)(line) || undefined)),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      // A service that ignores the signal must not hang the test; the exit code then shows it.
      const hard = setTimeout(() => child.kill('SIGKILL'), 15_000)
      const end = await ended
      clearTimeout(hard)
      return end
    },
  }
}

function watch({ stdout, stderr, pid }: ChildProcess) {
  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  let text = ''
  let over = false
  const wake = () => {
    for (const waiter of [...waiting]) waiter()
  }
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const reader = createInterface({ input: stdout as NodeJS.ReadableStream })
  reader.on('line', (line) => {
    text += `${line}\n`
    if (line.startsWith('{')) lines.push(JSON.parse(line))
    wake()
  })
  reader.on('close', () => {
    over = true
    wake()
  })

  async function find<T>(pick: (line: LogLine) => T | undefined): Promise<T> {
    for (;;) {
      for (const line of lines) {
        const picked = pick(line)
        if (picked !== undefined) return picked
      }
      if (over) throw new Error(`the service (process ${pid}) ended without the expected line:\n${text}`)
      await new Promise<void>((resolve) => {
        const waiter = () => {
          waiting.delete(waiter)
          resolve()
        }
        waiting.add(waiter)
      })
    }
  }
  return { lines, find, output: () => text }
}
