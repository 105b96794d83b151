/** The stage-service contract, held against the built-in service and the Python example alike. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
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

const python = findPython()
const mustRun = process.env.REQUIRE_ALL_TESTS === '1'

t.test('the Python example', { skip: !python && !mustRun && PYTHON_MISSING }, async (t) => {
  if (!python) return t.fail(PYTHON_MISSING)
  // -B: no __pycache__ beside the example.
  const serve = ['-B', file('packages/python/tests/serve.py'), file('examples/python'), 'service:stages']
  await testContract(t, (env) => startProcess(python, serve, env))
})
