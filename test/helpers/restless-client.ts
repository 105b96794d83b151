/** A client of one job's events that loses its connection repeatedly and resumes with its last event ID. */
import { setMaxListeners } from 'node:events'
import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface RestlessOptions {
  /** Base URLs of the API processes; each connection goes to one of them. */
  origins: () => string[]
  /** Path of the events, with a ticket. */
  path: string
  /** After how many events the connection is cut; Infinity = never. */
  patience: () => number
  /** Whether no event follows this one. Without this function, the server decides when the stream ends. */
  isOver?: (lastId: string) => boolean
  /** Cuts a connection that was silent for this long, in ms, as a client that checks for heartbeats does. Default: never. */
  silenceMs?: number
  /** How long to pause reading after each chunk, in ms. Default 0. */
  stallMs?: number
}

export class RestlessClient {
  readonly events: { id: string; event: string }[] = []
  /** Events that are not in the log: `gap`, `gone`. */
  readonly oddities: string[] = []
  /** Answers that were not 200. */
  readonly refusals: number[] = []
  connections = 0
  /** Connections that the client did not cut itself. */
  broken = 0
  private readonly options: RestlessOptions

  constructor(options: RestlessOptions) {
    this.options = options
  }

  get lastId(): string | undefined {
    return this.events.at(-1)?.id
  }

  get ended(): boolean {
    return /^(completed|failed|cancelled)$/.test(this.events.at(-1)?.event ?? '')
  }

  private get isOver(): boolean {
    return this.lastId !== undefined && (this.options.isOver?.(this.lastId) ?? false)
  }

  /** Follows the job to its terminal event, then reconnects once more, where 204 stops it. */
  async run(signal: AbortSignal): Promise<this> {
    // Many clients share the signal.
    setMaxListeners(0, signal)
    while (!signal.aborted) {
      const status = await this.connectOnce(signal)
      if (status === 204 || this.isOver) return this
      if (status !== 200) {
        if (status) this.refusals.push(status)
        else this.broken += 1
        await delay(30 + 50 * Math.random())
      }
    }
    return this
  }

  /** Reads one connection to its end. Returns its status, 0 if it could not be made or broke. */
  private connectOnce(signal: AbortSignal): Promise<number> {
    const origins = this.options.origins()
    const origin = origins[Math.floor(Math.random() * origins.length)] as string
    const headers = { accept: 'text/event-stream', ...(this.lastId && { 'last-event-id': this.lastId }) }
    let patience = this.options.patience()
    this.connections += 1
    return new Promise((resolve) => {
      const request = get(origin + this.options.path, { headers, agent: false, signal }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        const { silenceMs, stallMs = 0 } = this.options
        if (silenceMs) response.setTimeout(silenceMs, () => request.destroy())
        response.on('error', () => {})
        response.on('close', () =>
          resolve(response.complete || patience <= 0 ? (response.statusCode ?? 0) : 0),
        )
        response.on('data', (chunk: string) => {
          if (response.statusCode !== 200) return
          text += chunk
          if (stallMs > 0) {
            response.pause()
            setTimeout(() => response.resume(), stallMs)
          }
          for (let end = text.indexOf('\n\n'); end !== -1 && patience > 0; end = text.indexOf('\n\n')) {
            if (this.take(text.slice(0, end))) patience -= 1
            text = text.slice(end + 2)
          }
          if (patience <= 0 || this.isOver) request.destroy()
        })
      })
      if (this.options.silenceMs) request.setTimeout(this.options.silenceMs, () => request.destroy())
      request.on('error', () => resolve(0))
    })
  }

  private take(frame: string): boolean {
    const event = /^event: (.*)$/m.exec(frame)?.[1]
    if (!event || event === 'hint' || event === 'reconnect') return false
    const id = /^id: (.*)$/m.exec(frame)?.[1] ?? ''
    if (event === 'gap' || event === 'gone') this.oddities.push(event)
    else this.events.push({ id, event })
    return true
  }
}

export interface Faults {
  missing: number
  doubled: number
  disordered: number
}

/** Compares the ids that a client has seen with those in the log. */
export function compare(seen: readonly string[], log: readonly string[]): Faults {
  const set = new Set(seen)
  return {
    missing: log.filter((id) => !set.has(id)).length,
    doubled: seen.length - set.size,
    disordered: seen.filter((id, i) => i > 0 && id < (seen[i - 1] as string)).length,
  }
}
