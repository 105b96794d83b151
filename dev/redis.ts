/** A private Redis for one project folder, without a port; only the user who started it can connect. */
import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findRedis } from './find-redis.mjs'
import { type GuardedExit, spawnGuarded } from './redis-guard.ts'
import { claimFolder } from './redis-lock.ts'
import { answersPing, chooseSocketPath } from './redis-socket.ts'

export interface RedisOptions {
  /** Folder of data, lock and log; created if missing, readable only by its owner. */
  dir: string
  /** Whether to keep the data across restarts, in an append-only file flushed every second. Default true. */
  persist?: boolean
}

export interface EmbeddedRedis {
  /** `unix://<path of the socket>` */
  url: string
  /** Stops Redis after it has saved its data, or by force after 5 s. Safe to call twice. */
  stop(): Promise<void>
  /** Resolves when the server has exited, by `stop()` or by itself. Never rejects. */
  exited: Promise<GuardedExit>
}

const READY_WITHIN_MS = 60_000

/**
 * Starts Redis in `dir` and waits until it answers. It exits with this process, however that ends. Throws if there is no
 * server program, if `dir` is in use, or if Redis does not start.
 */
export async function startRedis({ dir, persist = true }: RedisOptions): Promise<EmbeddedRedis> {
  const program = findRedis(process.env)
  if (!program) {
    throw new Error('There is no redis-server here: run `node dev/setup.mjs`, or set REDIS_URL')
  }
  const folder = resolve(dir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const socket = await chooseSocketPath(folder)
  const release = await claimFolder(folder, socket.path).catch(async (error) => {
    await socket.discard()
    throw error
  })
  // Only once: afterwards the folder may belong to another process.
  let cleaned: Promise<void> | undefined
  const cleanUp = () => {
    cleaned ??= socket.remove().then(release)
    return cleaned
  }

  try {
    const command = [await underServerName(program, folder), ...settings(folder, socket.path, persist)]
    const { stop, exited } = await spawnGuarded(command, join(folder, 'redis.log'), cleanUp)
    try {
      await untilReady(socket.path, exited)
    } catch (error) {
      await stop()
      throw error
    }
    return { url: `unix://${socket.path}`, stop, exited }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

/** Links a `…-check-rdb` program under a server's name: see find-redis.mjs. */
async function underServerName(program: string, dir: string): Promise<string> {
  if (!basename(program).includes('check-rdb')) return program
  const alias = join(dir, 'redis-server')
  await rm(alias, { force: true })
  await symlink(program, alias)
  return alias
}

function settings(dir: string, unixsocket: string, persist: boolean): string[] {
  const values = {
    port: '0',
    unixsocket,
    unixsocketperm: '700',
    dir,
    appendonly: persist ? 'yes' : 'no',
    appendfsync: 'everysec',
    // No snapshots: the append-only file is enough.
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  }
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value])
}

/** A big append-only file takes time to load; until then Redis answers PING with an error. */
async function untilReady(path: string, exited: Promise<GuardedExit>): Promise<void> {
  let over: GuardedExit | undefined
  exited.then((exit) => {
    over = exit
  })
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await answersPing(path))) {
    if (over) throw new Error(`Redis exited during startup. Its log ends with:\n${over.log}`)
    if (Date.now() > deadline) throw new Error(`Redis did not answer within ${READY_WITHIN_MS / 1000} s`)
    await delay(20)
  }
}
