/**
 * Runs jobs for a long time, in rounds. After each round it removes every key that has an expiry, as if that time had
 * passed. The remaining data must not grow from one round to the next.
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { QUEUE_NAME, STREAM_LENGTH } from '../../../journal/journal.ts'
import type { Door } from '../../helpers/app.ts'
import type { FaultCase } from './case.ts'
import { type Kind, kindOf, kindsOfKeys, letTimePass } from './redis-memory.ts'
import type { Scene } from './scene.ts'
import { work } from './service.ts'

/** Number of rounds at full and at small scale. The first round warms up. */
const ROUNDS = { full: 6, small: 3 }
const JOBS = 10_000
/** Shortest duration at full scale, in ms. */
const SOAK_MS = 600_000
const AUDIT_EVERY = 50
/** Redis trims a stream by whole nodes with this many entries. */
const STREAM_NODE = 100

export const soakCase: FaultCase = {
  name: 'soak of ten minutes, 10,000 jobs or more',
  ownRedis: true,
  promise:
    'heap and handles stay flat; everything in Redis has an expiry or a cap, and the rest does not grow',
  quick: true,
  withinS: 1800,
  scene: { env: { STAGE_KEEP_COMPLETED: '20', STAGE_WORKER_CONCURRENCY: '20', LOG_LEVEL: 'info' } },
  run: soak,
}

interface Sample {
  heap: number[]
  handles: number[]
  /** Bytes that never expire, without the event stream. */
  lasting: Map<string, Kind>
  /** Bytes of the event stream. */
  entries: number
  streamBytes: number
  /** Memory used by Redis without the event stream, in bytes. */
  redis: number
}

async function soak(scene: Scene, scale: number): Promise<string> {
  const rounds = scale < 1 ? ROUNDS.small : ROUNDS.full
  const jobs = Math.ceil((JOBS * scale) / ROUNDS.full / AUDIT_EVERY) * AUDIT_EVERY
  scene.service.behaviour = work(4, 20)
  const admin = scene.redis.admin()
  const base = `${scene.env.REDIS_PREFIX}:${QUEUE_NAME}`
  const samples: Sample[] = []
  const endsAt = performance.now() + (scale < 1 ? 0 : SOAK_MS)
  let passed = new Map<string, Kind>()
  while ((samples.length < rounds || performance.now() < endsAt) && !scene.signal.aborted) {
    for (let placed = 0; placed < jobs && !scene.signal.aborted; placed += AUDIT_EVERY) {
      for (let i = 0; i < AUDIT_EVERY; i += 1) {
        await scene.watchedOrder(2)
        await delay(10)
      }
      // Check the jobs of this round, then forget them.
      await scene.audit()
    }
    await settled(admin, `${base}:active`)
    passed = await letTimePass(admin)
    samples.push(await sample(scene, admin, base))
    scene.report(`${samples.length * jobs} jobs`)
  }
  // The first round only warms up.
  const [early, late] = [samples[1] as Sample, samples.at(-1) as Sample]
  const told = tell(early, late)
  const faults = compare(early, late)
  if (faults.length > 0) throw new Error(`${faults.join('; ')}: ${told}`)
  const kept = [...passed]
    .filter(([, { bytes }]) => bytes > jobs)
    .map(([name, { bytes, ttlS }]) => `${Math.round(bytes / jobs)} B in ${name} for ${ttlS} s`)
  return `${samples.length * jobs} jobs; ${told}; of each job ${kept.join(', ')}`
}

/** The queue follows the journal, so wait until no job is active in it. */
async function settled(admin: Redis, active: string): Promise<void> {
  while ((await admin.llen(active)) > 0) await delay(20)
}

async function sample({ api, worker }: Scene, admin: Redis, base: string): Promise<Sample> {
  const measured = await Promise.all([api, worker].map(measure))
  const stream = `${base}:events`
  const lasting = await kindsOfKeys(admin)
  lasting.delete(kindOf(stream))
  // The worker announces itself periodically, under a key that expires.
  for (const [name, { ttlS }] of lasting) if (ttlS !== null) lasting.delete(name)
  const taken = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
  const streamBytes = Number(await admin.memory('USAGE', stream, 'SAMPLES', 0))
  return {
    heap: measured.map(({ heapUsed }) => heapUsed),
    handles: measured.map(({ handles }) => handles),
    lasting,
    entries: await admin.xlen(stream),
    streamBytes,
    redis: taken - streamBytes,
  }
}

async function measure({ child }: Door): Promise<{ heapUsed: number; handles: number }> {
  child.send({ measure: true })
  const [answer] = await once(child, 'message')
  return answer as { heapUsed: number; handles: number }
}

/** A line for everything that grows. The ratios allow for buffers, but not for data left behind by every job. */
function compare(early: Sample, late: Sample): string[] {
  const faults: string[] = []
  for (const [i, heap] of late.heap.entries())
    if (heap > (early.heap[i] as number) * 1.1 + 1e6) faults.push('the heap grows')
  for (const [i, count] of late.handles.entries())
    if (count > (early.handles[i] as number) + 10) faults.push('handles grow')
  for (const [name, { keys, bytes }] of late.lasting) {
    const before = early.lasting.get(name)
    if (!before) faults.push(`${name} has no expiry, and was not there before`)
    else if (keys > before.keys) faults.push(`${name}: ${before.keys} -> ${keys} keys without expiry`)
    else if (bytes > before.bytes * 1.02 + 300)
      faults.push(`${name}: ${before.bytes} -> ${bytes} bytes without expiry`)
  }
  if (late.entries > STREAM_LENGTH + STREAM_NODE) faults.push(`${late.entries} entries in the event stream`)
  if (late.redis > early.redis * 1.2 + 5e5) faults.push('Redis grows')
  return faults
}

function tell(early: Sample, late: Sample): string {
  const mega = (bytes = 0) => Math.round(bytes / 1e5) / 10
  const lasting = ({ lasting }: Sample) => [...lasting.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    `heap ${early.heap.map(mega)} -> ${late.heap.map(mega)} MB`,
    `handles ${early.handles} -> ${late.handles}`,
    `Redis ${mega(early.redis)} -> ${mega(late.redis)} MB and ${late.entries} events of ${mega(late.streamBytes)} MB`,
    `${lasting(early)} -> ${lasting(late)} bytes of it without expiry`,
  ].join(', ')
}
