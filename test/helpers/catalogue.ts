/** Writes a catalogue for one test, as a file for STAGES_FILE. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogueFile } from '../../contract/catalogue-file.ts'
import type { Owner } from './owner.ts'

type Entry = Partial<CatalogueFile['stages'][0]> & { stage: number }

/** Returns the path of the file. Fields that an entry leaves out are derived from its number. */
export async function stagesFile(
  t: Owner,
  entries: Entry[],
  services: CatalogueFile['services'] = {},
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-stages-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const stages = entries.map((entry) => ({
    slug: `s${entry.stage}`,
    title: `Stage ${entry.stage}`,
    ...entry,
  }))
  const path = join(dir, 'stages.json')
  // Begin with a byte-order mark, as some editors do.
  await writeFile(path, `\ufeff${JSON.stringify({ stages, services })}`)
  return path
}
