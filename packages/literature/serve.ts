/** The stage service as a process of its own. */
import closeWithGrace from 'close-with-grace'
import type { StageService } from '../stage-kit/start.ts'
import { readSettings } from './settings.ts'
import { startBuiltInService } from './start.ts'

const settings = readSettings(process.env)
if ('faults' in settings) fail(settings.faults)

const { logLevel, ...options } = settings
const service: StageService = await startBuiltInService({ ...options, logger: { level: logLevel } }).catch(
  (error: Error) =>
    fail([`cannot start with PORT=${options.port} and data in ${options.dataDir}: ${error.message}`]),
)

// Later than the service's own grace for running work. It must be a number: as text it would mean no limit.
closeWithGrace({ delay: settings.graceMs + 5_000, logger: false }, async ({ err }) => {
  if (err)
    process.stderr.write(`stage service: ends after ${err.name}${err.stack?.replace(/^[^\n]*/, '') ?? ''}\n`)
  await service.close()
})

function fail(faults: string[]): never {
  for (const fault of faults) process.stderr.write(`stage service: ${fault}\n`)
  process.exit(1)
}
