import { execFileSync, fork, spawnSync } from 'node:child_process'
import { pbkdf2 } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { type EmbeddedRedis, startRedis } from '../../dev/redis.ts'
import { spawnGuarded } from '../../dev/redis-guard.ts'

const OWNER = fileURLToPath(new URL('./redis-owner.js', import.meta.url))

/** A short path, unlike tap's own folder, because the length of a socket's path is limited. */
async function tempDir(t: Test): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'sc-')))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A Redis that is stopped at the end of the test, before its folder is removed. */
async function start(t: Test, dir: string): Promise<EmbeddedRedis> {
  const redis = await startRedis({ dir })
  t.teardown(() => redis.stop())
  return redis
}

/** A client that does not reconnect, so its `end` event shows that the server is gone. */
function clientOf(t: Test, url: string): Redis {
  const client = new Redis({ path: socketOf(url), retryStrategy: () => null })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

function socketOf(url: string): string {
  return url.replace('unix://', '')
}

t.test('serves a private socket with the settings a queue needs', async (t) => {
  const dir = await tempDir(t)
  const { url } = await start(t, dir)
  const client = clientOf(t, url)
  t.equal(await client.ping(), 'PONG')
  const settings = await client.config('GET', 'port', 'appendonly', 'appendfsync', 'maxmemory-policy', 'save')
  const byName = Object.fromEntries(pairs(settings as string[]))
  t.strictSame(byName, {
    port: '0',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
  })
  t.equal((await stat(dir)).mode & 0o777, 0o700, 'other users cannot enter the folder')
  t.equal((await stat(socketOf(url))).mode & 0o777, 0o700)
})

t.test('data survives a stop, and the stop leaves neither socket nor lock', async (t) => {
  const dir = await tempDir(t)
  const first = await start(t, dir)
  await clientOf(t, first.url).set('kept', 'yes')
  await first.stop()
  await first.stop()
  t.notOk(existsSync(join(dir, 'redis.lock')))
  t.notOk(existsSync(socketOf(first.url)))

  const second = await start(t, dir)
  t.equal(await clientOf(t, second.url).get('kept'), 'yes')
})

t.test('data survives a Redis killed with SIGKILL, and its owner is notified', async (t) => {
  const dir = await tempDir(t)
  const first = await start(t, dir)
  const client = clientOf(t, first.url)
  await client.set('kept', 'yes')
  process.kill(await serverPid(client), 'SIGKILL')
  const { code, log } = await first.exited
  t.equal(code, 128 + 9)
  t.match(log, /ready to accept connections/)

  const second = await start(t, dir)
  t.equal(await clientOf(t, second.url).get('kept'), 'yes')
})

t.test('without persist nothing is kept', async (t) => {
  const dir = await tempDir(t)
  const first = await startRedis({ dir, persist: false })
  await clientOf(t, first.url).set('kept', 'no')
  await first.stop()
  // If only redis-check-rdb is installed, the link that renames it stays next to the log.
  const left = (await readdir(dir)).filter((name) => name !== 'redis-server')
  t.strictSame(left, ['redis.log'])
})

t.test('Redis ends with an owner killed by SIGKILL, and the folder is free again', async (t) => {
  const dir = await tempDir(t)
  const owner = fork(OWNER, [dir])
  const [message] = await once(owner, 'message')
  const client = clientOf(t, (message as { url: string }).url)
  await client.set('kept', 'yes')
  const pid = await serverPid(client)

  const gone = once(client, 'end')
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  // The old Redis may still be exiting; the new start waits for it.
  const next = await start(t, dir)
  await gone
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  t.equal(await clientOf(t, next.url).get('kept'), 'yes')
})

t.test('a killed guard takes Redis with it', async (t) => {
  const { url, exited } = await start(t, await tempDir(t))
  const client = clientOf(t, url)
  const gone = once(client, 'end')
  process.kill(parentOf(await serverPid(client)), 'SIGKILL')
  t.equal((await exited).signal, 'SIGKILL')
  await gone
})

t.test('a frozen Redis is stopped by force', async (t) => {
  const redis = await start(t, await tempDir(t))
  const client = clientOf(t, redis.url)
  process.kill(await serverPid(client), 'SIGSTOP')
  await redis.stop()
  t.equal((await redis.exited).signal, 'SIGKILL')
})

t.test('a second start on a folder in use is refused', async (t) => {
  const dir = await tempDir(t)
  const { url } = await start(t, dir)
  await t.rejects(startRedis({ dir }), { message: /Another npm run dev is using .* \(process \d+\)/ })
  const other = fork(OWNER, [dir], { silent: true })
  const [[complaint]] = await Promise.all([once(other.stderr as Readable, 'data'), once(other, 'exit')])
  t.match(String(complaint), /Another npm run dev is using/)
  t.equal(await clientOf(t, url).ping(), 'PONG', 'the first Redis is untouched')
})

t.test('of several starts at once exactly one wins', async (t) => {
  const dir = await tempDir(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => start(t, dir)))
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  for (const { reason } of refused) t.match(reason.message, /Another npm run dev/)
})

t.test('a lock and a socket left by a crash do not prevent a start', async (t) => {
  const dir = await tempDir(t)
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  await writeFile(join(dir, 'redis.lock'), JSON.stringify({ pid, socket: join(dir, 'redis.sock') }))
  await writeFile(join(dir, 'redis.sock'), '')
  const { url } = await start(t, dir)
  t.equal(url, `unix://${dir}/redis.sock`)
  t.equal(await clientOf(t, url).ping(), 'PONG')
})

t.test('a folder of data is never taken for the temporary folder of a socket', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const { url, stop } = await start(t, dir)
  await clientOf(t, url).set('kept', 'yes')
  await stop()
  t.ok(existsSync(join(dir, 'appendonlydir')))
})

t.test('a garbled lock does not prevent a start', async (t) => {
  const dir = await tempDir(t)
  await writeFile(join(dir, 'redis.lock'), '{"pid":')
  const { url } = await start(t, dir)
  t.equal(await clientOf(t, url).ping(), 'PONG')
})

for (const [what, name] of [
  ['a long path', 'x'.repeat(120)],
  ['spaces and quotes in its path', `it's a "folder" 100% ünlike`],
] as const) {
  t.test(`the socket of a folder with ${what} is elsewhere`, async (t) => {
    const dir = join(await tempDir(t), name)
    await mkdir(dir)
    const first = await start(t, dir)
    t.notOk(first.url.includes(dir))
    await clientOf(t, first.url).set('kept', 'yes')
    await t.rejects(startRedis({ dir }), { message: /Another npm run dev/ })
    await first.stop()
    t.notOk(existsSync(socketOf(first.url)))
    const second = await start(t, dir)
    t.equal(await clientOf(t, second.url).get('kept'), 'yes')
  })
}

t.test("a failed start shows Redis's output and unlocks the folder", async (t) => {
  const dir = await tempDir(t)
  await writeFile(join(dir, 'appendonlydir'), 'a file where a folder is needed')
  await t.rejects(startRedis({ dir }), { message: /Redis exited during startup[\s\S]*append/i })
  t.notOk(existsSync(join(dir, 'redis.lock')))
})

t.test('a server that fails at once is noticed, however busy the process is', async (t) => {
  let isBusy = true
  // All threads that open and close files are busy first.
  const keepBusy = () => {
    if (isBusy) pbkdf2('', '', 20_000, 64, 'sha512', keepBusy)
  }
  for (let thread = 0; thread < 8; thread += 1) keepBusy()
  const { exited } = await spawnGuarded(['false'], join(await tempDir(t), 'log'), async () => {})
  const late = new AbortController()
  const outcome = await Promise.race([exited, delay(10_000, 'unnoticed', { signal: late.signal })])
  late.abort()
  isBusy = false
  t.match(outcome, { code: 1, signal: null })
})

async function serverPid(client: Redis): Promise<number> {
  const info = await client.info('server')
  return Number(/process_id:(\d+)/.exec(info)?.[1])
}

function parentOf(pid: number): number {
  const linux = `/proc/${pid}/stat`
  if (existsSync(linux)) return Number(readFileSync(linux, 'utf8').split(' ')[3])
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }))
}

function pairs(flat: string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}
