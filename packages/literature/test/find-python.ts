/** Finds a Python that has the packages which the example needs. */
import { spawnSync } from 'node:child_process'

export const PYTHON_MISSING =
  'the Python example is NOT tested: no python3 has FastAPI and uvicorn (Debian: python3-fastapi, python3-uvicorn)'

/** The command, or undefined. The first python3 on the PATH does not always have the packages. */
export function findPython(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((command) => {
    return spawnSync(command, ['-c', 'import fastapi, uvicorn'], { timeout: 20_000 }).status === 0
  })
}
