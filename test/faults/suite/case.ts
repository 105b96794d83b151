/** A case of the fault suite, and how to run it. */
import type { Owner } from '../../helpers/owner.ts'
import type { Forgiven } from './ledger.ts'
import { Scene, type SceneOptions } from './scene.ts'

export interface FaultCase {
  /** The name to run it alone by. */
  name: string
  /** The promise that holds despite the fault, worded for docs/reliability.md. */
  promise: string
  /** Whether it is part of `npm test`. */
  quick?: true
  /** Time limit in s. Default 600. */
  withinS?: number
  scene?: SceneOptions
  /** Whether it damages Redis itself, which must then belong to the suite. */
  ownRedis?: true
  forgiven?: Forgiven
  /** Does the damage and waits for the expected outcome. Returns a short summary. */
  run(scene: Scene, scale: number): Promise<string>
}

export interface Outcome {
  name: string
  /** Empty if the promise held. */
  faults: string[]
  seen: string
  ms: number
  /** The last log lines of each process if the promise did not hold. */
  logs: string[]
}

export interface PlayOptions {
  /** An existing Redis. */
  redisUrl?: string | undefined
  /** Receives the progress of a long case. */
  report?(text: string): void
}

/** Runs a case and checks the ledger. Never throws. `scale` 1 is full size, for cases that can be scaled. */
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
  const withinS = one.withinS ?? 600
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
