/**
 * The check after every case. Each accepted job has its outcome and exactly one terminal event, or waits and has none. Every
 * watching client has seen its events once and in order. Nothing was done twice.
 */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { JobEvent } from '../../../contract/job-event.ts'
import { authorization } from '../../helpers/app.ts'
import { compare, type RestlessClient } from '../../helpers/restless-client.ts'
import type { RecordingService } from './service.ts'

/** A client's order, and the job that its 202 named. */
export interface Order {
  name: string
  stage: number
  job_id: string
  urls: { status: string; events: string; cancel: string }
}

const TERMINAL = new Set(['completed', 'failed', 'cancelled'])
const WAITING = new Set(['queued', 'active', 'retrying', 'cancelling'])

export interface Forgiven {
  /** Whether Redis has lost its data, so that accepted jobs may be gone. */
  losses?: boolean
  /** Whether orders may still be waiting. */
  waiting?: boolean
}

export class Ledger {
  readonly orders: Order[] = []
  readonly watching: { order: Order; client: RestlessClient }[] = []
  private readonly service: RecordingService

  constructor(service: RecordingService) {
    this.service = service
  }

  /** Every discrepancy, one per line. `url` is a working API. */
  async faults(url: string, forgiven: Forgiven): Promise<string[]> {
    const faults: string[] = []
    const logs = new Map<Order, string[]>()
    for (const order of this.orders) {
      const [snapshot, events] = await Promise.all([
        this.read<JobSnapshot>(url, order, 'status'),
        this.page(url, order),
      ])
      if (!snapshot || !events) {
        if (!forgiven.losses) faults.push(`${order.name}: accepted as ${order.job_id}, and gone`)
        continue
      }
      logs.set(
        order,
        events.map(({ id }) => id),
      )
      faults.push(...judge(order, snapshot, events, forgiven))
      const done = this.service.effects.filter((effect) => effect.order === order.name).length
      if (snapshot.status === 'completed' && done === 0)
        faults.push(`${order.name}: completed, and nothing was done`)
    }
    for (const [name, times] of count(this.service.effects.map(({ order }) => order)))
      if (times > 1) faults.push(`${name}: done ${times} times at the stage service`)
    for (const { order, client } of this.watching) {
      const log = logs.get(order)
      if (log) faults.push(...judgeWatcher(order, client, log, forgiven))
    }
    return faults
  }

  private async page(url: string, order: Order): Promise<JobEvent[] | null> {
    return (await this.read<{ events: JobEvent[] }>(url, order, 'events'))?.events ?? null
  }

  private async read<T>(url: string, { urls }: Order, what: 'status' | 'events'): Promise<T | null> {
    const path = what === 'status' ? urls.status : (urls.events.split('?')[0] as string)
    const headers = { ...authorization(), accept: 'application/json' }
    const response = await fetch(url + path, { headers })
    if (response.status === 404) return null
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
    return (await response.json()) as T
  }
}

function judge({ name }: Order, { status }: JobSnapshot, events: JobEvent[], forgiven: Forgiven): string[] {
  const faults: string[] = []
  const ids = events.map(({ id }) => id)
  const ends = events.filter(({ event }) => TERMINAL.has(event))
  if (!TERMINAL.has(status) && !WAITING.has(status)) faults.push(`${name}: is ${status}`)
  if (WAITING.has(status) && !forgiven.waiting) faults.push(`${name}: still ${status} when all was over`)
  if (ends.length !== (TERMINAL.has(status) ? 1 : 0))
    faults.push(`${name}: ${status} with ${ends.length} terminal events`)
  if (ends.length === 1 && (ends[0] !== events.at(-1) || ends[0]?.event !== status))
    faults.push(`${name}: ends with ${events.at(-1)?.event}, is ${status}`)
  if ([...new Set(ids)].sort().join() !== ids.join()) faults.push(`${name}: ids do not rise: ${ids}`)
  return faults
}

function judgeWatcher({ name }: Order, client: RestlessClient, log: string[], forgiven: Forgiven): string[] {
  const seen = client.events.map(({ id }) => id)
  // A client that was stopped has seen a prefix of the events.
  const expected =
    client.ended || seen.length === 0 ? log : log.slice(0, log.indexOf(seen.at(-1) as string) + 1)
  const { missing, doubled, disordered } = compare(seen, expected)
  const faults: string[] = []
  if (missing + doubled + disordered > 0)
    faults.push(`a client of ${name}: ${missing} missing, ${doubled} doubled, ${disordered} out of order`)
  if (!client.ended && !forgiven.waiting && !forgiven.losses)
    faults.push(`a client of ${name} has not seen its end`)
  if (client.oddities.length > 0 && !forgiven.losses)
    faults.push(`a client of ${name} was told: ${client.oddities}`)
  return faults
}

function count(names: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
