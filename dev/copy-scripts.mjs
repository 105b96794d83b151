/** Copies the Lua scripts, which tsc leaves behind, beside the JavaScript it has made: `node dev/copy-scripts.mjs dist`. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'

const SCRIPTS = 'journal/scripts'

const [out] = process.argv.slice(2)
if (!out) throw new Error('say where the compiled JavaScript is: node dev/copy-scripts.mjs dist')
cpSync(join(import.meta.dirname, '..', SCRIPTS), join(out, SCRIPTS), { recursive: true })
