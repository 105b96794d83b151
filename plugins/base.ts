/** Where a caller finds this application: the prefix of `register`, behind the one that a trusted proxy has removed. */
import proxyAddr from '@fastify/proxy-addr'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module './core.ts' {
  interface Stagecast {
    /** What every path in an answer begins with, '' at the root. */
    base(request: FastifyRequest): string
  }
}

/** All proxies, or the addresses and networks (CIDR) of some; a text lists them with commas between. */
export type TrustProxy = boolean | string | readonly string[]

/** A path of plain segments. It must not begin like `//`, which a browser reads as another host. */
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

/** Throws a TypeError that names what is no address. */
function trustFunction(trustProxy: TrustProxy): (address: string) => boolean {
  if (typeof trustProxy === 'boolean') return () => trustProxy
  const list = typeof trustProxy === 'string' ? trustProxy.split(',') : trustProxy
  const isTrusted = proxyAddr.compile(list.map((one) => one.trim()))
  return (address) => isTrusted(address, 0)
}

/** Of several proxies each has added its own, with a comma between. What is no path is as if it were not there. */
function read(header: string): string {
  const path = header
    .split(',')
    .map((one) => one.trim().replace(/\/+$/, ''))
    .join('')
  const isPath = path.length <= LONGEST && PREFIX.test(path) && !/\/\.{1,2}(\/|$)/.test(path)
  return isPath ? path : ''
}
