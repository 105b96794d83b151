/** Entry point: the worker process. */
import { loadConfig } from './config.ts'
import { runDoor } from './door.ts'
import { openWorker } from './processes.ts'

await runDoor(() => openWorker(loadConfig(process.env, 'worker')))
