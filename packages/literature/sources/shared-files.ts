/** Files that several processes write: each step is one that the file system does for one of them, or not at all. */
import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, writeFile } from 'node:fs/promises'

/** Makes an empty file; false when there is one of the name. */
export async function create(path: string): Promise<boolean> {
  return open(path, 'wx').then(async (handle) => {
    await handle.close()
    return true
  }, orTaken)
}

/** With its text in one step: what is there is never half written. */
export async function createWhole(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text)
  try {
    return await link(draft, path).then(() => true, orTaken)
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Removes the file that holds `text`. It is moved away and judged again: another process may have replaced it in the
 * meantime.
 */
export async function takeAway(path: string, text: string): Promise<void> {
  const moved = `${path}.${randomUUID()}`
  try {
    await rename(path, moved)
  } catch (error) {
    return orMissing(error as NodeJS.ErrnoException)
  }
  if ((await readText(moved)) !== text) await link(moved, path).catch(orTaken)
  await rm(moved, { force: true })
}

function orMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function orTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false
  throw error
}

/** Replaces the file in one step. */
export async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text)
  await rename(draft, path)
}

/** Undefined if the file does not exist. */
export async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(orMissing)
}
