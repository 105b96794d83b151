/** A worker process, from the environment as in production. */
import { loadConfig } from '../../config.ts'
import { openWorker } from '../../processes.ts'
import { answering } from './answering.ts'

await openWorker(loadConfig(process.env, 'worker'))
answering({})
