/** A stage service in Python, for one test. */
import { join } from 'node:path'
import { startProcess } from '../../packages/literature/test/service-process.ts'
import type { Owner } from './owner.ts'
import { ROOT } from './processes.ts'

/** Serves `application` (`module:name`) from the folder test/runs. Returns its URL. */
export async function startPython(
  t: Owner,
  application: string,
  env: { STAGE_DATA_DIR: string; [name: string]: string },
): Promise<string> {
  const serve = join(ROOT, 'packages/python/tests/serve.py')
  const args = ['-B', serve, join(ROOT, 'test/runs'), application]
  const service = await startProcess('/usr/bin/python3', args, { PORT: '0', ...env })
  t.teardown(() => service.stop())
  return service.url
}
