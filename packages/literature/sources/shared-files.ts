/** Files that several processes write, using atomic file system operations. */
import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, writeFile } from 'node:fs/promises'

/** Creates an empty file; returns false if it exists. */
export async function create(path: string): Promise<boolean> {
  return open(path, 'wx').then(async (handle) => {
    await handle.close()
    return true
  }, orTaken)
}

/** Creates a file with its content atomically: readers never see a half-written file. False if it exists. */
export async function createWhole(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text)
  try {
    return await link(draft, path).then(() => true, orTaken)
  } finally {
    await rm(draft, { force: true })
  }
}

/** Removes the file if it still holds `text`. Moves it first, because another process may have just replaced it. */
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

/** Replaces the file atomically. */
export async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text)
  await rename(draft, path)
}

/** Undefined if the file does not exist. */
export async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(orMissing)
}
