/** The built-in service and the Python example both follow the stage-service contract. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { checkService } from '../../../test/helpers/check-service.ts'
import { type Start, testContract } from './contract.ts'
import { findPython, PYTHON_MISSING } from './find-python.ts'
import { startProcess } from './service-process.ts'

const file = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

const builtIn: Start = (env) =>
  startProcess(process.execPath, [file('packages/literature/serve.js')], {
    LITERATURE_SOURCES: 'sample',
    ...env,
  })

t.test('the built-in stage service', (t) => testContract(t, builtIn))

t.test('the built-in stage service passes the check', async (t) => {
  // Slow enough that the check can disconnect half-way.
  const env = { HOST: '127.0.0.1', PORT: '0', STAGE_DATA_DIR: t.testdir(), STAGE_PACE_MS: '50' }
  const service = await builtIn(env)
  t.teardown(() => service.stop())
  const listed = await (await fetch(`${service.url}/api/workflow/stages`)).json()
  t.match(listed, [{ stage: 1 }, { stage: 2 }, { stage: 10 }, { stage: 14 }, { stage: 16 }])
  // The other stages need the results of these.
  await checkService(t, service.url, ['--stage', '1', '--stage', '2'])
})

const python = findPython()
const mustRun = process.env.REQUIRE_ALL_TESTS === '1'

t.test('the Python example', { skip: !python && !mustRun && PYTHON_MISSING }, async (t) => {
  if (!python) return t.fail(PYTHON_MISSING)
  // -B: writes no __pycache__ next to the example.
  const serve = ['-B', file('packages/python/tests/serve.py'), file('examples/python'), 'service:stages']
  await testContract(t, (env) => startProcess(python, serve, env))
})
