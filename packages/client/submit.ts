/** Sends a request that starts a job or run, and repeats it while its outcome is unknown. A key prevents a second start. */
import { type Http, isPassing, pause } from './http.ts'
import type { StagecastError } from './stagecast-error.ts'

export interface Signal {
  signal?: AbortSignal | undefined
}

/** `idempotencyKey` is generated if left out. */
export interface SubmitOptions extends Signal {
  idempotencyKey?: string | undefined
}

/** How often to repeat a request with an unknown outcome, and the longest pause between repeats, in ms. */
const REPEATS = 4
const LONGEST_WAIT_MS = 10_000

export async function submit<T>(
  http: Http,
  path: string,
  body: object | undefined,
  { idempotencyKey = randomKey(), signal }: SubmitOptions,
): Promise<T> {
  const init = { headers: { 'idempotency-key': idempotencyKey }, ...(signal && { signal }) }
  for (let tries = 1; ; tries += 1) {
    try {
      return await http.post<T>(path, body, init)
    } catch (error) {
      signal?.throwIfAborted()
      const { retryAfter = 0 } = error as Partial<StagecastError>
      const waitMs = Math.max(1000 * retryAfter, 200 * 2 ** tries)
      if (!isPassing(error) || tries > REPEATS || waitMs > LONGEST_WAIT_MS) throw error
      await pause(waitMs, signal)
    }
  }
}

/** `randomUUID` exists only on https pages. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
