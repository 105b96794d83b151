/** Copies the Lua scripts, which tsc ignores, next to the compiled JavaScript: `node dev/copy-scripts.mjs dist`. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'

const SCRIPTS = 'journal/scripts'

const [out] = process.argv.slice(2)
if (!out) throw new Error('pass the folder of the compiled JavaScript: node dev/copy-scripts.mjs dist')
cpSync(join(import.meta.dirname, '..', SCRIPTS), join(out, SCRIPTS), { recursive: true })
