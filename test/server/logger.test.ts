/** Loggers of one process whose standard output is not read. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { program } from '../helpers/processes.ts'

const TWO_LOGGERS = `
  const { createLogger } = await import(process.argv[1])
  const api = createLogger('info', 'api')
  for (let n = 0; n < 5000; n += 1) api.info('x'.repeat(200))
  // The pipe is full now, and lines wait in memory.
  setImmediate(() => setImmediate(() => {
    createLogger('info', 'worker').info('ready')
    createLogger('silent', 'quiet').info('never seen')
    console.error('both')
    process.exit()
  }))
`

t.test('a second logger starts while the lines of the first are not read', async (t) => {
  const args = ['--input-type=module', '--eval', TWO_LOGGERS, program('server/logger.ts')]
  // Start it through `env`, so that tap does not add its loaders.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const errors = text(child.stderr)
  const [code] = await once(child, 'exit')
  t.equal(await errors, 'both\n')
  t.equal(code, 0)
})
