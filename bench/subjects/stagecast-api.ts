/** An API process, from the environment as in production. */
import { loadConfig } from '../../config.ts'
import { openApi } from '../../processes.ts'
import { answering } from './answering.ts'

const api = await openApi(loadConfig(process.env))
answering({ url: api.url })
