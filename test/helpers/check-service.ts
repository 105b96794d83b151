/** `python -m stagecast check` against a running stage service. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { ROOT } from './processes.ts'

const PYTHON = '/usr/bin/python3'

/** Passes when the service has no faults; fails with the report. */
export async function checkService(t: Test, url: string, args: readonly string[] = []): Promise<void> {
  const child = spawn(PYTHON, ['-B', '-m', 'stagecast', 'check', url, ...args], {
    env: { ...process.env, PYTHONPATH: join(ROOT, 'packages/python/src') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill())
  const ended = new Promise((resolve) => child.once('close', resolve))
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  t.equal(
    code,
    0,
    `${url} passes the check: ${code === 0 ? out.trim().split('\n').at(-1) : `\n${out}${errors}`}`,
  )
}
