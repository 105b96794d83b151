/** The sources of this version, by name. */
import { sampleSource } from './sample/source.ts'
import type { Source } from './source.ts'

const SOURCES: ReadonlyMap<string, Source> = new Map([[sampleSource.name, sampleSource]])

export const SOURCE_NAMES: readonly string[] = [...SOURCES.keys()]

/** The source of this name, or undefined. */
export function sourceNamed(name: string): Source | undefined {
  return SOURCES.get(name)
}
