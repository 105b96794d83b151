/** An API process, from the environment as in production. */
import { loadConfig } from '../../server/config.ts'
import { openApi } from '../../server/processes.ts'
import { answering } from './answering.ts'

const api = await openApi(loadConfig(process.env))
answering({ url: api.url })
