/** Entry point: the API process. */
import { loadConfig } from './config.ts'
import { runDoor } from './door.ts'
import { openApi } from './processes.ts'

await runDoor(() => openApi(loadConfig(process.env)))
