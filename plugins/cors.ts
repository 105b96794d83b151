/** Lets pages of the listed origins call the API from a browser. */
import cors from '@fastify/cors'
import fp from 'fastify-plugin'

/** Response headers that a page may read in addition to the CORS-safelisted ones. */
const EXPOSED = [
  'location',
  'retry-after',
  'etag',
  'date',
  'allow',
  'idempotent-replayed',
  'preference-applied',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'www-authenticate',
  'x-request-id',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]

export default fp<{ origins: readonly string[] }>(
  async (app, { origins }) => {
    if (origins.length === 0) return
    await app.register(cors, {
      origin: origins.map(toPattern),
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
      exposedHeaders: EXPOSED,
      maxAge: 600,
      // Otherwise the plugin rejects an OPTIONS that is not a preflight in plain text.
      strictPreflight: false,
    })
  },
  { name: 'cors' },
)

/**
 * CORS headers for responses that are sent before any hook runs. If `origin` is null, it is unknown, and any page may
 * read the response.
 */
export function corsHeaders(
  origins: readonly string[],
): (origin: string | undefined | null) => Record<string, string> {
  if (origins.length === 0) return () => ({})
  const patterns = origins.map(toPattern)
  const exposed = { 'access-control-expose-headers': EXPOSED.join(', ') }
  return (origin) => {
    if (origin === null) return { 'access-control-allow-origin': '*', ...exposed }
    const allowed = patterns.some((one) =>
      typeof one === 'string' ? one === origin : one.test(origin ?? ''),
    )
    return allowed
      ? { vary: 'Origin', 'access-control-allow-origin': origin as string, ...exposed }
      : { vary: 'Origin' }
  }
}

/** `https://*.example.org` matches every subdomain at any depth, but not example.org itself. */
function toPattern(origin: string): string | RegExp {
  const [scheme = '', rest] = origin.split('://*.')
  if (rest === undefined) return origin
  return new RegExp(`^${scheme}://([a-z0-9_-]+\\.)+${rest.replaceAll('.', '\\.')}$`)
}
