/** Runs tests of the Python package, which start uvicorn and gunicorn themselves. */
import { spawn, spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const PYTHON = '/usr/bin/python3'
const NEEDED = ['pytest', 'uvicorn', 'hypercorn', 'gunicorn', 'fastapi', 'pip', 'setuptools', 'wheel']
const PACKAGES = NEEDED.map((name) => (name === 'gunicorn' ? name : `python3-${name}`)).join(' ')

/** The compiled tests are next to links to the package; follow them to the folder of pyproject.toml. */
const project = fileURLToPath(new URL('../../packages/python/pyproject.toml', import.meta.url))

/** Passes if pytest passes, else fails with its output. Skips with a reason if a Python package is missing. */
export async function runPytest(t: Test, files: readonly string[]): Promise<void> {
  const missing = NEEDED.filter((name) => spawnSync(PYTHON, ['-c', `import ${name}`]).status !== 0)
  if (missing.length > 0) {
    const words = `the Python package is NOT tested: ${PYTHON} has no ${missing.join(', ')} (Debian: ${PACKAGES})`
    if (process.env.REQUIRE_ALL_TESTS === '1') t.fail(words)
    else t.pass(words, { skip: words })
    return
  }
  const child = spawn(PYTHON, ['-B', '-m', 'pytest', '-q', '--tb=short', ...files], {
    cwd: dirname(realpathSync(project)),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill())
  const ended = new Promise((resolve) => child.once('close', resolve))
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  t.equal(code, 0, `pytest passes:\n${code === 0 ? out.trim().split('\n').at(-1) : `${out}\n${errors}`}`)
}
