/** The stage service as its own process. */
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

// Longer than the service's own grace period. It must be a number: a string would mean no limit.
closeWithGrace({ delay: settings.graceMs + 5_000, logger: false }, async ({ err }) => {
  if (err)
    process.stderr.write(`stage service: ends after ${err.name}${err.stack?.replace(/^[^\n]*/, '') ?? ''}\n`)
  await service.close()
})

function fail(faults: string[]): never {
  for (const fault of faults) process.stderr.write(`stage service: ${fault}\n`)
  process.exit(1)
}
