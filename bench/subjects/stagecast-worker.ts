/** A worker process, from the environment as in production. */
import { loadConfig } from '../../server/config.ts'
import { openWorker } from '../../server/processes.ts'
import { answering } from './answering.ts'

await openWorker(loadConfig(process.env, 'worker'))
answering({})
