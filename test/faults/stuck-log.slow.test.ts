/** Standard output is a pipe without a reader, as when a log collector hangs. SIGTERM still ends the process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { testEnv } from '../helpers/app.ts'
import { freePort } from '../helpers/free-port.ts'
import { program } from '../helpers/processes.ts'
import { eventually } from '../helpers/waiting.ts'

/** Enough to fill a pipe (64 KiB), with at least 200 bytes in each line. */
const REQUESTS = 400

for (const file of ['server/api.ts', 'server/worker.ts', 'server/all.ts']) {
  t.test(file, async (t) => {
    const port = String(await freePort())
    const ports = file === 'server/worker.ts' ? { WORKER_HEALTH_PORT: port } : { PORT: port }
    const env = await testEnv(t, { ...ports, SHUTDOWN_GRACE_MS: '5000', LOG_LEVEL: 'trace' })
    const args = ['-u', 'NODE_OPTIONS', process.execPath, program(file)]
    const child = spawn('env', args, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      // `stdout` is never read here: Node reads a pipe only once somebody listens.
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    const exited = once(child, 'exit')
    const url = `http://127.0.0.1:${port}`
    await eventually(
      'the process listens',
      async () => (await fetch(`${url}/health/live`).catch(() => null))?.ok,
      120_000,
    )
    for (let i = 0; i < REQUESTS; i += 1)
      t.equal((await fetch(`${url}/nowhere/${'x'.repeat(150)}`)).status, 404)
    const from = performance.now()
    child.kill('SIGTERM')
    const [code] = await exited
    t.equal(code, 0)
    t.ok(performance.now() - from < 30_000, 'it exits instead of blocking for ever')
  })
}
