/** Which pages of other origins may call the API from a browser: those on the list. */
import cors from '@fastify/cors'
import fp from 'fastify-plugin'

/** Headers of answers that a page may read beside the few that any page may. */
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
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]

export default fp<{ origins: readonly string[] }>(
  async (app, { origins }) => {
    if (origins.length === 0) return
    await app.register(cors, {
      origin: origins.map(toPattern),
      exposedHeaders: EXPOSED,
      maxAge: 600,
      // Its refusal of an OPTIONS that is no preflight would be plain text.
      strictPreflight: false,
    })
  },
  { name: 'cors' },
)

/**
 * For answers that are given before any hook runs: the headers for a page of `origin`. Null means that it could not be
 * found out, and any page may read the answer.
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

/** `https://*.example.org` stands for every subdomain, however deep, and not for example.org itself. */
function toPattern(origin: string): string | RegExp {
  const [scheme = '', rest] = origin.split('://*.')
  if (rest === undefined) return origin
  return new RegExp(`^${scheme}://([a-z0-9_-]+\\.)+${rest.replaceAll('.', '\\.')}$`)
}
