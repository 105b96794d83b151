/**
 * Caches sources' answers on disk, so that a retry or the same question does not query them again. The key is the request
 * sent, which depends only on the framed question: spelling, case and filler words do not matter.
 */
import { createHash, randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Clock } from './clock.ts'
import { SourceRecord } from './paper.ts'
import type { Answer, Plan, Source } from './source.ts'

const Entry = Type.Object({
  version: Type.Literal(1),
  /** Epoch ms of the search. */
  searched_at: Type.Integer(),
  total: Type.Integer({ minimum: 0 }),
  records: Type.Array(SourceRecord),
  remarks: Type.Optional(Type.Array(Type.String())),
})
type Entry = Static<typeof Entry>

export interface Kept extends Answer {
  searched_at: number
}

export interface Cache {
  find(source: Source, plan: Plan): Promise<Kept | undefined>
  keep(source: Source, plan: Plan, answer: Answer): Promise<Kept>
  /** Removes expired entries and returns how many. */
  sweep(): Promise<number>
}

export function createCache(dir: string, maxAgeMs: number, clock: Clock): Cache {
  let swept = clock.now()
  const path = (source: Source, plan: Plan) => join(dir, `${source.name}-${digest(plan)}.json`)
  return {
    async find(source, plan) {
      const text = await readFile(path(source, plan), 'utf8').catch(() => undefined)
      const entry = text === undefined ? undefined : parse(text)
      if (!entry) return undefined
      const age = clock.now() - entry.searched_at
      return age >= 0 && age < maxAgeMs ? entry : undefined
    },

    async keep(source, plan, { total, records, remarks }) {
      const entry: Entry = {
        version: 1,
        searched_at: clock.now(),
        total,
        records,
        ...(remarks && { remarks }),
      }
      if (maxAgeMs === 0) return entry
      if (clock.now() - swept > maxAgeMs) await this.sweep()
      await mkdir(dir, { recursive: true })
      const draft = join(dir, `${randomUUID()}.draft`)
      await writeFile(draft, JSON.stringify(entry))
      await rename(draft, path(source, plan))
      return entry
    },

    async sweep() {
      swept = clock.now()
      await mkdir(dir, { recursive: true })
      let removed = 0
      for (const name of await readdir(dir)) {
        const { mtimeMs = clock.now() } = (await lstat(join(dir, name)).catch(() => undefined)) ?? {}
        if (clock.now() - mtimeMs < maxAgeMs) continue
        await rm(join(dir, name), { force: true })
        removed++
      }
      return removed
    },
  }
}

function digest({ request, limit }: Plan): string {
  const fields = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify({ fields, limit })).digest('hex')
}

/** Treats a damaged or outdated entry as missing. */
function parse(text: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(Entry, value) ? value : undefined
  } catch {
    return undefined
  }
}
