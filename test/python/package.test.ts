/** The Python package's own tests, run as one command; they bring up uvicorn and gunicorn themselves. */
import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const PYTHON = '/usr/bin/python3'
const folder = fileURLToPath(new URL('../../packages/python', import.meta.url))
const needed = ['pytest', 'uvicorn', 'gunicorn', 'fastapi', 'pydantic', 'pip', 'setuptools', 'wheel']
const packages =
  'python3-pytest python3-uvicorn gunicorn python3-fastapi python3-pip python3-setuptools python3-wheel'

// About a minute of work; a busy machine may need several.
t.setTimeout(600_000)

t.test('the Python package', async (t) => {
  const missing = needed.filter(
    (name) => spawnSync(PYTHON, ['-c', `import ${name}`], { timeout: 20_000 }).status !== 0,
  )
  if (missing.length > 0) {
    const words = `the Python package is NOT tested: ${PYTHON} has no ${missing.join(', ')} (Debian: ${packages})`
    return process.env.REQUIRE_ALL_TESTS === '1' ? t.fail(words) : t.skip(words)
  }
  const child = spawn(PYTHON, ['-B', '-m', 'pytest', '-q', '--tb=short', 'tests'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill())
  const ended = new Promise((resolve) => child.once('close', resolve))
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  t.equal(code, 0, `pytest passes:\n${code === 0 ? out.split('\n').at(-2) : `${out}\n${errors}`}`)
})
