/**
 * Loads the Lua scripts in `scripts/`. The header of each file declares its keys and arguments. They are local variables in
 * the script, and properties of the object that `run` takes.
 *
 *     -- key NAME: what it is        -- include FILE
 *     -- arg NAME: what it is        -- const NAME: what it is
 *     -- rest: what follows the named arguments, in the table `rest`
 */
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

type Value = string | number
/** Keys and arguments by name; `rest` is a list. */
export type Call = Readonly<Record<string, Value | readonly Value[]>>
export type Constants = Readonly<Record<string, Value>>

export interface Script<R> {
  run(redis: Redis, call: Call): Promise<R>
  /** The source sent to Redis. */
  readonly source: string
  readonly keys: readonly string[]
  readonly args: readonly string[]
}

type Commands = Record<string, (...values: Value[]) => Promise<unknown>>

/** `constants`: values for the `const` lines of the file and its includes. */
export function loadScript<R>(name: string, constants: Constants = {}): Script<R> {
  const { wanted, includes, keys, args, text, hasRest } = read(name)
  const prelude = [
    ...[...wanted].map((one) => `local ${one} = ${literal(one, constants[one])}`),
    ...keys.map((key, i) => `local ${key} = KEYS[${i + 1}]`),
    ...args.map((arg, i) => `local ${arg} = ARGV[${i + 1}]`),
    ...(hasRest ? [`local rest = { unpack(ARGV, ${args.length + 1}) }`] : []),
  ]
  // The prelude is one line, so that line numbers in errors match the file, unless it has includes.
  const source = `${prelude.join(' ')} ${[...includes, text].join('\n')}`
  const command = `stagecast:${name}`
  const names = [...keys, ...args, ...(hasRest ? ['rest'] : [])]

  function inOrder(call: Call): Value[] {
    const values: Value[] = []
    for (const name of names) {
      const value = call[name]
      if (value === undefined) throw misfit(call)
      if (typeof value === 'object') values.push(...value)
      else values.push(value)
    }
    if (Object.keys(call).length !== names.length) throw misfit(call)
    return values
  }

  function misfit(call: Call): TypeError {
    return new TypeError(`${name}.lua takes ${names.join(', ')}; it got ${Object.keys(call).join(', ')}`)
  }
  return {
    source,
    keys,
    args,
    run(redis, call) {
      if (!(command in redis)) redis.defineCommand(command, { lua: source, numberOfKeys: keys.length })
      return (redis as unknown as Commands)[command]?.(...inOrder(call)) as Promise<R>
    },
  }
}

interface Parsed {
  keys: string[]
  args: string[]
  hasRest: boolean
  /** Names of constants. */
  wanted: Set<string>
  /** Contents of the included files. */
  includes: string[]
  text: string
}

function read(name: string): Parsed {
  const text = readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8')
  const named = (kind: string) =>
    Array.from(text.matchAll(new RegExp(`^-- ${kind} ([\\w-]+)`, 'gm')), ([, one]) => one as string)
  const included = named('include').map(read)
  return {
    keys: named('key'),
    args: named('arg'),
    hasRest: /^-- rest:/m.test(text),
    wanted: new Set([...named('const'), ...included.flatMap(({ wanted }) => [...wanted])]),
    includes: included.flatMap(({ includes, text }) => [...includes, text]),
    text,
  }
}

function literal(name: string, value: Value | undefined): string {
  if (value === undefined) throw new TypeError(`a script needs the constant ${name}`)
  return typeof value === 'number' ? String(value) : `'${value}'`
}
