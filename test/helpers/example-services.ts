/** The services of examples/catalogue as separate processes, and the catalogue that names their addresses. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { type ServiceProcess, startProcess } from '../../packages/literature/test/service-process.ts'
import { program, ROOT } from './processes.ts'

const PYTHON = '/usr/bin/python3'

export interface ExampleServices {
  /** Path for STAGES_FILE. */
  file: string
  intake: ServiceProcess
  trends: ServiceProcess
  report: ServiceProcess
  /** Restarts the service of stages 3 and 4 at the same address. */
  restartTrends(): Promise<void>
}

export async function startExampleServices(t: Test): Promise<ExampleServices> {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-example-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await cp(join(ROOT, 'examples/catalogue'), dir, { recursive: true })
  await installKit(dir)
  const settings = (name: string, port = '0') => ({ PORT: port, STAGE_DATA_DIR: join(dir, 'data', name) })
  const python = (port?: string) => {
    const serve = join(ROOT, 'packages/python/tests/serve.py')
    return startProcess(PYTHON, ['-B', serve, dir, 'trends:stages'], settings('trends', port))
  }
  const [intake, trends, report] = await Promise.all([
    startProcess(process.execPath, [join(dir, 'intake.mjs')], settings('intake')),
    python(),
    startProcess(process.execPath, [join(dir, 'report.mjs')], settings('report')),
  ])
  const running = [intake, trends, report]
  t.teardown(() => Promise.all(running.map((service) => service.stop())))
  const file = join(dir, 'stages.json')
  const catalogue = JSON.parse(await readFile(file, 'utf8'))
  catalogue.services.intake.url = intake.url
  catalogue.services.trends.url = trends.url
  catalogue.services.report.url = report.url
  await writeFile(file, JSON.stringify(catalogue))
  return {
    ...{ file, intake, trends, report },
    restartTrends: async () => void running.push(await python(new URL(trends.url).port)),
  }
}

/** Installs `stagecast/stage` for the services, as `npm install stagecast` would. */
export async function installKit(dir: string): Promise<void> {
  const inside = join(dir, 'node_modules', 'stagecast')
  await mkdir(inside, { recursive: true })
  const kit = pathToFileURL(program('packages/stage-kit/index.ts')).href
  await writeFile(join(inside, 'stage.mjs'), `export * from '${kit}'\n`)
  const manifest = { name: 'stagecast', exports: { './stage': './stage.mjs' } }
  await writeFile(join(inside, 'package.json'), JSON.stringify(manifest))
}
