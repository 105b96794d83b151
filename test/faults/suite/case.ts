/** A case of the fault suite, and how one is played. */
import type { Owner } from '../../helpers/owner.ts'
import type { Forgiven } from './ledger.ts'
import { Scene, type SceneOptions } from './scene.ts'

export interface FaultCase {
  /** By which it can be run alone. */
  name: string
  /** What holds all the same, in words for docs/reliability.md. */
  promise: string
  /** Whether it is part of `npm test`. */
  quick?: true
  /** Longest time, in s. Default 60. */
  withinS?: number
  scene?: SceneOptions
  /** Whether Redis itself is harmed, so that it has to be one of the suite's own. */
  ownRedis?: true
  forgiven?: Forgiven
  /** Does the damage and waits for what must come of it. Returns what was seen, in a few words. */
  run(scene: Scene, scale: number): Promise<string>
}

export interface Outcome {
  name: string
  /** Empty when the case has held. */
  faults: string[]
  seen: string
  ms: number
  /** The last lines of each process, where it has not held. */
  logs: string[]
}

export interface PlayOptions {
  /** A Redis that is there already. */
  redisUrl?: string | undefined
  /** Hears how far a long case has come. */
  report?(text: string): void
}

/** Plays a case to its end, and checks the ledger. Never throws. `scale` 1 is full size, for the cases that have one. */
export async function play(
  one: FaultCase,
  scale: number,
  { redisUrl, report = () => {} }: PlayOptions = {},
): Promise<Outcome> {
  const startedAt = performance.now()
  const ends: (() => unknown)[] = []
  const owner: Owner = { teardown: (handler) => ends.unshift(handler) }
  const outcome: Outcome = { name: one.name, faults: [], seen: '', ms: 0, logs: [] }
  let scene: Scene | undefined
  const { promise: late, resolve, reject } = deferred()
  const withinS = one.withinS ?? 60
  const timer = setTimeout(() => reject(new Error(`not over within ${withinS} s`)), withinS * 1000)
  try {
    await Promise.race([late, act()])
  } catch (error) {
    outcome.faults.push((error as Error).message)
  } finally {
    clearTimeout(timer)
    resolve()
  }
  if (outcome.faults.length > 0 && scene)
    outcome.logs = [...scene.apis, ...scene.workers].map(
      ({ url, logs }) =>
        `${url}\n${logs
          .filter((line) => !/incoming request|request completed/.test(line))
          .slice(-15)
          .join('\n')}`,
    )
  await scene?.stopWatching()
  for (const end of ends) await Promise.resolve(end()).catch(() => {})
  outcome.ms = performance.now() - startedAt
  return outcome

  async function act(): Promise<void> {
    scene = await Scene.open(owner, { ...one.scene, redisUrl })
    scene.report = report
    outcome.seen = await one.run(scene, scale)
    if (!one.forgiven?.waiting) await scene.settled()
    outcome.faults.push(...(await scene.ledger.faults(scene.origins[0] as string, one.forgiven ?? {})))
  }
}

function deferred() {
  let resolve = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
