/** The headers of the Lua scripts list every key and argument, and no unused ones. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as journal from '../../journal/journal.ts'
import { loadScript, type Script } from '../../journal/scripts.ts'
import { announceWorker } from '../../journal/workers.ts'
import { testRedis } from '../helpers/jobs.ts'
import { ROOT } from '../helpers/processes.ts'
import { randomPrefix } from '../helpers/redis.ts'

const FOLDER = join(ROOT, 'journal', 'scripts')
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.lua'))
const texts = new Map(files.map((name) => [name.slice(0, -4), readFileSync(join(FOLDER, name), 'utf8')]))

t.test('every name in a header is used, and scripts use only these names', async (t) => {
  t.ok(texts.size >= 6, `${texts.size} scripts`)
  for (const [name, text] of texts) {
    const [header, body] = cut(text)
    t.match(header, /^-- [A-Za-z]/, `${name}: the first line says what it does`)
    t.notMatch(body, /KEYS|ARGV/, `${name}: nothing is counted`)
    const named = Array.from(header.matchAll(/^-- (?:key|arg|const) (\w+): \S/gm), ([, one]) => one as string)
    for (const one of named) t.match(body, new RegExp(`\\b${one}\\b`), `${name} uses ${one}`)
    t.equal(new Set(named).size, named.length, `${name}: no name twice`)
    t.equal(/^-- rest: /m.test(header), /\brest\b/.test(body), `${name}: rest`)
    for (const [, one] of header.matchAll(/^-- include (\S+)$/gm)) {
      const included = texts.get(one as string) ?? ''
      const offered = /^local function (\w+)/m.exec(included)?.[1]
      t.match(body, new RegExp(`\\b${offered}\\(`), `${name} calls what it includes`)
    }
  }
})

t.test('Redis compiles all scripts, and none uses a global variable', async (t) => {
  const redis = await testRedis(t)
  const loaded = { announceWorker, ...journal }
  const scripts = Object.values(loaded).filter(
    (one): one is Script<never> => typeof one === 'object' && 'source' in one,
  )
  t.ok(scripts.length >= 4)
  for (const { source } of [...scripts, loadScript('count-requests')])
    t.match(await redis.script('LOAD', source), /^[0-9a-f]{40}$/)
})

t.test('a call with a missing or an extra name is refused', async (t) => {
  const redis = await testRedis(t)
  const count = loadScript<[number, number]>('count-requests')
  const call = { counter: randomPrefix(), requests: 3, window: 1000 }
  const { window: _, ...short } = call
  t.throws(() => count.run(redis, short), /count-requests.lua takes counter, requests, window/)
  t.throws(() => count.run(redis, { ...call, other: 1 }), TypeError)
  t.equal((await count.run(redis, call))[0], 3)
  t.throws(() => loadScript('place'), /needs the constant/)
})

t.test('TypeScript files contain no Lua', async (t) => {
  const folders = ['journal', 'plugins', 'routes', 'server', 'watch', 'workers']
  const sources = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  for (const file of sources.filter((name) => name.endsWith('.ts')))
    t.notMatch(readFileSync(join(ROOT, file), 'utf8'), /^\s*local \w+ =|\bARGV\[\d|^\s*if .* then$/m, file)
})

/** The comment at the top, and the rest without comments. */
function cut(text: string): [header: string, body: string] {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('--'))
  return [
    lines.slice(0, end).join('\n'),
    lines
      .slice(end)
      .filter((line) => !/^\s*--/.test(line))
      .join('\n'),
  ]
}
