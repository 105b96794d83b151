/**
 * A ticket gives access to the events of one job, or of one user's workflow, for a browser's EventSource, which cannot
 * send a header. It is self-contained and signed: 16 bytes id, 6 bytes expiry in ms, 16 bytes of HMAC-SHA256, in
 * base64url; a workflow ticket ends with its user's id. All API processes share the signing key, which is in Redis.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import fp from 'fastify-plugin'
import { unauthenticated } from '../contract/errors.ts'

declare module './core.ts' {
  interface Stagecast {
    tickets: {
      issue(jobId: string): Promise<Ticket>
      /** When the ticket expires, epoch ms. Throws 401 unless it is valid for this job. */
      check(ticket: string, jobId: string): Promise<number>
      issueWorkflow(userId: string, workflowId: string): Promise<Ticket>
      /** The owner of the workflow, and when the ticket expires, epoch ms. Throws 401 unless it is valid. */
      checkWorkflow(ticket: string, workflowId: string): Promise<{ userId: string; until: number }>
    }
  }
}

export interface Ticket {
  ticket: string
  /** Epoch ms. */
  expiresAt: number
}

const BYTES = 38
const SIGNED_BYTES = 22

export default fp<{ ttlSeconds: number }>(
  async (app, { ttlSeconds }) => {
    const { redis, journal } = app.stagecast
    let key: Buffer | undefined
    // After a fail-over or a flush another process may have created a new key. Use the old one until Redis answers.
    redis.on('ready', () => void loadKey().catch(() => {}))

    app.stagecast.tickets = {
      issue: (jobId) => issue(jobId, ''),
      check: async (ticket, jobId) => (await check('job', ticket, jobId)).until,
      issueWorkflow: (userId, workflowId) => issue(workflowId, userId),
      checkWorkflow: (ticket, workflowId) => check('workflow', ticket, workflowId),
    }

    async function issue(id: string, userId: string): Promise<Ticket> {
      const expiresAt = Date.now() + ttlSeconds * 1000
      const bytes = Buffer.alloc(BYTES + Buffer.byteLength(userId))
      bytes.write(id.replaceAll('-', ''), 'hex')
      bytes.writeUIntBE(expiresAt, 16, 6)
      bytes.write(userId, BYTES)
      sign(bytes, key ?? (await loadKey())).copy(bytes, SIGNED_BYTES)
      return { ticket: bytes.toString('base64url'), expiresAt }
    }

    async function check(kind: 'job' | 'workflow', ticket: string, id: string) {
      const bytes = Buffer.from(ticket, 'base64url')
      const genuine =
        // User ids are never empty, so the length distinguishes the two kinds of ticket.
        (kind === 'job' ? bytes.length === BYTES : bytes.length > BYTES) &&
        bytes.toString('base64url') === ticket &&
        timingSafeEqual(bytes.subarray(SIGNED_BYTES, BYTES), sign(bytes, key ?? (await loadKey())))
      if (!genuine || bytes.toString('hex', 0, 16) !== id.replaceAll('-', '').toLowerCase())
        throw unauthenticated('INVALID_TICKET', `Get a ticket for this ${kind} from its tickets route`)
      const until = bytes.readUIntBE(16, 6)
      if (until <= Date.now())
        throw unauthenticated('TICKET_EXPIRED', `Get a new ticket from the ${kind}'s tickets route`)
      return { userId: bytes.toString('utf8', BYTES), until }
    }

    async function loadKey(): Promise<Buffer> {
      const name = journal.keys.own('ticket-key')
      // Read before writing, so that tickets still work while Redis is read-only.
      const stored =
        (await app.stagecast.fromRedis(redis.get(name))) ?? (await app.stagecast.fromRedis(makeKey(name)))
      key = Buffer.from(stored, 'base64')
      return key
    }

    /** The first process to write decides the key. */
    async function makeKey(name: string): Promise<string> {
      const mine = randomBytes(32).toString('base64')
      const [, stored] = await Promise.all([redis.set(name, mine, 'NX'), redis.get(name)])
      return stored ?? mine
    }
  },
  { name: 'tickets', dependencies: ['journal', 'auth'] },
)

function sign(bytes: Buffer, key: Buffer): Buffer {
  const place = bytes.subarray(0, SIGNED_BYTES)
  const signed = bytes.length > BYTES ? Buffer.concat([place, bytes.subarray(BYTES)]) : place
  return createHmac('sha256', key)
    .update(signed)
    .digest()
    .subarray(0, BYTES - SIGNED_BYTES)
}
