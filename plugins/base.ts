/** The path prefix that a caller sees: the prefix that a trusted proxy removed, then the prefix given to `register`. */
import proxyAddr from '@fastify/proxy-addr'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module './core.ts' {
  interface Stagecast {
    /** Prefix of every path in a response; '' at the root. */
    base(request: FastifyRequest): string
  }
}

/** `true` for all proxies, or addresses and networks (CIDR) as an array or a comma-separated string. */
export type TrustProxy = boolean | string | readonly string[]

/** A path of plain segments. It must not start with `//`, which a browser takes for another host. */
const PREFIX = /^(\/[\w.~!$&'()*+;=:@%-]+)+$/
const LONGEST = 200

export default fp<{ trustProxy: TrustProxy }>(
  async (app, { trustProxy }) => {
    const isTrusted = trustFunction(trustProxy)
    const { prefix } = app

    app.stagecast.base = ({ raw: { headers, socket } }) => {
      const removed = headers['x-forwarded-prefix']
      if (removed === undefined || !isTrusted(socket.remoteAddress ?? '')) return prefix
      return `${read(String(removed))}${prefix}`
    }
  },
  { name: 'base', dependencies: ['core'] },
)

/** Throws a TypeError that names an invalid address. */
function trustFunction(trustProxy: TrustProxy): (address: string) => boolean {
  if (typeof trustProxy === 'boolean') return () => trustProxy
  const list = typeof trustProxy === 'string' ? trustProxy.split(',') : trustProxy
  const isTrusted = proxyAddr.compile(list.map((one) => one.trim()))
  return (address) => isTrusted(address, 0)
}

/** Each proxy appends its prefix after a comma. Invalid paths are ignored. */
function read(header: string): string {
  const path = header
    .split(',')
    .map((one) => one.trim().replace(/\/+$/, ''))
    .join('')
  const isPath = path.length <= LONGEST && PREFIX.test(path) && !/\/\.{1,2}(\/|$)/.test(path)
  return isPath ? path : ''
}
