/** Invalid tickets, and positions that never existed. */
import type { BadRequest, Scene } from './request.ts'

export function badEvents({
  token,
  mine,
  foreign,
  ticket,
  foreignTicket,
  expiredTicket,
}: Scene): BadRequest[] {
  const bytes = Buffer.from(ticket, 'base64url')
  const flipped = (at: number) => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] as number) ^ 1
    return copy.toString('base64url')
  }
  const later = Buffer.from(bytes)
  later.writeUIntBE(Date.now() + 1e9, 16, 6)
  const invalid: Record<string, string> = {
    empty: '',
    'a word': 'ticket',
    'of another job': foreignTicket,
    'cut short': ticket.slice(0, -1),
    'with a letter more': `${ticket}A`,
    'with padding': `${ticket}=`,
    twice: `${ticket}${ticket}`,
    'with another job in it': flipped(0),
    'with another end in it': later.toString('base64url'),
    'with another signature': flipped(37),
    'of zeros': Buffer.alloc(38).toString('base64url'),
    'a token': token,
    'in base64 of the other kind': `${ticket.slice(0, -4)}%2B%2F%2B%2F`,
    'of NULs': '%00%00',
    'as long as a book': 'A'.repeat(8000),
  }
  return [
    ...Object.entries(invalid).map(([about, value]) => ({
      about: `ticket: ${about}`,
      code: 'INVALID_TICKET' as const,
      path: `${mine}/events?ticket=${value}`,
    })),
    { about: 'ticket: expired', code: 'TICKET_EXPIRED', path: `${mine}/events?ticket=${expiredTicket}` },
    { about: 'ticket: on another job', code: 'INVALID_TICKET', path: `${foreign}/events?ticket=${ticket}` },
    { about: 'ticket: on the status', code: 'UNAUTHENTICATED', path: `${mine}/status?ticket=${ticket}` },
    {
      about: 'ticket: on a file',
      code: 'UNAUTHENTICATED',
      path: `${mine}/artifacts/a.json?ticket=${ticket}`,
    },
    {
      about: 'ticket: to cancel',
      code: 'UNAUTHENTICATED',
      method: 'POST',
      path: `${mine}/cancel?ticket=${ticket}`,
    },
    {
      about: 'ticket: for a ticket',
      code: 'UNAUTHENTICATED',
      method: 'POST',
      path: `${mine}/tickets?ticket=${ticket}`,
    },
    {
      about: 'ticket: as a bearer',
      code: 'INVALID_TOKEN',
      path: `${mine}/events`,
      headers: { authorization: `Bearer ${ticket}` },
    },
    {
      about: 'ticket: two of them',
      code: 'INVALID_TICKET',
      path: `${mine}/events?ticket=${ticket}&ticket=${ticket}`,
    },
    ...['x', '1', '0000000000000', '%20'].map(
      (after): BadRequest => ({
        about: `events after ${JSON.stringify(after)}`,
        code: 'VALIDATION_FAILED',
        path: `${mine}/events?ticket=${ticket}&after=${after}`,
      }),
    ),
  ]
}

/** Wrong last event IDs that a client may send; it gets a `gap` with the whole state. */
export const FOOLISH_IDS = [
  'x',
  '-1',
  '0',
  '999999999999',
  '0001',
  'null',
  '1; DROP TABLE jobs',
  'ä',
  '0'.repeat(4000),
]
