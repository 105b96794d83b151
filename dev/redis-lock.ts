/**
 * Allows one Redis per folder: two would write the same append-only file. A lock file names the owner. A lock left by a crash
 * is recognised by the owner's process id and by whether its Redis still listens.
 */
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { isListening, socketAt } from './redis-socket.ts'

const Owner = Type.Object({ pid: Type.Integer({ minimum: 1 }), socket: Type.String() })
type Owner = Static<typeof Owner>

/** How long a Redis may take to end after its owner died, or to listen after its owner took the lock. */
const SETTLE_MS = 8_000

/** Locks `dir` for this process; throws if another process uses it. Resolves to a function that releases the lock. */
export async function claimFolder(dir: string, socket: string): Promise<() => Promise<void>> {
  const lock = join(dir, 'redis.lock')
  const mine = JSON.stringify({ pid: process.pid, socket } satisfies Owner)
  const deadline = Date.now() + SETTLE_MS
  while (!(await createWhole(lock, mine))) {
    const text = await readIfThere(lock)
    // The lock was just released.
    if (text === null) continue
    const owner = parseOwner(text)
    const alive = owner !== null && isAlive(owner.pid)
    const listening = owner !== null && (await isListening(owner.socket))
    if (alive && listening) throw inUse(dir, owner)
    // Transitional states: a Redis that does not listen yet, or one that exits after its owner was killed.
    if ((alive || listening) && Date.now() < deadline) {
      await delay(50)
      continue
    }
    if (listening) throw inUse(dir, owner)
    await breakLock(lock, text, owner)
  }
  return async () => {
    if ((await readIfThere(lock)) === mine) await rm(lock, { force: true })
  }
}

function inUse(dir: string, owner: Owner | null): Error {
  return new Error(
    `Another npm run dev is using ${dir} (process ${owner?.pid ?? 'unknown'}). ` +
      'Stop that one first, or give this one another folder.',
  )
}

/** Creates the file with its content atomically: a plain write could be read half done. */
async function createWhole(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** Moves the stale lock away and checks it again: another process may have replaced it in the meantime. */
async function breakLock(lock: string, stale: string, owner: Owner | null): Promise<void> {
  const moved = `${lock}.${randomUUID()}`
  try {
    await rename(lock, moved)
  } catch {
    return
  }
  const text = await readFile(moved, 'utf8')
  if (text !== stale) await link(moved, lock).catch(() => {})
  await rm(moved, { force: true })
  if (text === stale && owner) await socketAt(owner.socket).remove()
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function parseOwner(text: string): Owner | null {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(Owner, value) ? value : null
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
