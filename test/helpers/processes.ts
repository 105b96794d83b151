/** Runs processes under test, reads their logs and waits for their end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Door, Env } from './app.ts'

/** The compiled copy of the project in which the tests run: see dev/compile.mjs. */
export const BUILD = fileURLToPath(new URL('../..', import.meta.url))
/** The project's own folder. */
export const ROOT = BUILD.replace(/\.stagecast\/build\/$/, '')

/** The compiled form of a program of the project, e.g. `server/api.ts`. */
export function program(file: string): string {
  return join(BUILD, file.replace(/\.ts$/, '.js'))
}

export interface Ended {
  /** Exit code, or the name of the signal. */
  exit: number | string
  output: string
  ms: number
}

/** Resolves with the first line of the door's log, past or future, that holds `text`. */
export async function logLine(door: Door, text: string): Promise<string> {
  for (;;) {
    const line = door.logs.find((one) => one.includes(text))
    if (line) return line
    const ended = await Promise.race([once(door.child.stdout as NodeJS.ReadableStream, 'data'), door.exited])
    if (!Array.isArray(ended))
      throw new Error(`ended with ${ended} before it logged ${text}:\n${door.logs.join('\n')}`)
    // Let the process's line reader run first.
    await new Promise(setImmediate)
  }
}

/** Sends a signal, and waits for the end. */
export async function end(door: Door, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  const from = performance.now()
  door.child.kill(signal)
  const exit = await door.exited
  return { exit, output: door.logs.join('\n'), ms: performance.now() - from }
}

/** Runs Node to its end. */
export async function runNode(t: Test, args: string[], env: Env, cwd = ROOT): Promise<Ended> {
  const from = performance.now()
  const { child, output, exited } = spawnNode(t, args, env, cwd)
  await once(child, 'close')
  return { exit: await exited, output: output.join(''), ms: performance.now() - from }
}

/** A compiled door, started as in production; resolves once it listens. */
export async function startCompiled(t: Test, file: string, env: Env): Promise<Door> {
  const { child, output, exited } = spawnNode(t, [file], env, dirname(file))
  for (;;) {
    const url = /listening at (http:\/\/[^"\s]+)/.exec(output.join(''))?.[1]
    if (url) return { child, url, logs: output, exited }
    const ended = await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), exited])
    if (!Array.isArray(ended)) throw new Error(`${file} ended with ${ended}: ${output.join('')}`)
  }
}

function spawnNode(t: Test, args: string[], env: Env, cwd: string) {
  // Start it through `env`, because tap adds its loaders to every Node process that it sees starting.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)))
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  return { child, output, exited }
}
