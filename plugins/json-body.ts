/** Parses JSON bodies more strictly than JSON.parse: rejects values that cannot be stored and returned unchanged. */
import { isUtf8 } from 'node:buffer'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import { findLoss } from '../contract/exact-json.ts'

/** Deeper than any real options object, and shallow enough for recursive code. */
const MAX_DEPTH = 32

export default fp(
  async (app) => {
    const parse = app.getDefaultJsonParser('error', 'error')
    // Also removes the host's parsers: our routes read only JSON.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
      const { 'content-encoding': coding = 'identity', 'content-type': type = '' } = request.headers
      if (!/^identity$/i.test(coding)) return done(encoded(coding))
      const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1]
      if (charset && !/^(utf-?8|us-ascii)$/i.test(charset)) return done(inOtherCharset(charset))
      // Many clients send a content type without a body. A route that needs a body says so in its schema.
      if (bytes.length === 0) return done(null, undefined)
      if (!isUtf8(bytes)) return done(new ProblemError('BAD_REQUEST', 'The body is not valid UTF-8'))
      const text = bytes.toString()
      parse(request, text, (error, body) => {
        const fault = error ? null : (lossFault(text) ?? findFault(body, 'body', 0))
        done(
          error ?? (fault && new ProblemError('VALIDATION_FAILED', fault.detail, { errors: [fault.error] })),
          body,
        )
      })
    })
  },
  { name: 'json-body' },
)

/** RFC 9110, 15.5.16: the response says which codings are supported. */
function encoded(coding: string): ProblemError {
  const detail = `Send the body unencoded, without Content-Encoding: ${coding.slice(0, 100)}`
  return new ProblemError('UNSUPPORTED_MEDIA_TYPE', detail, { headers: { 'accept-encoding': 'identity' } })
}

function inOtherCharset(charset: string): ProblemError {
  const detail = `JSON is UTF-8 (RFC 8259): send the body in UTF-8, not in ${charset.slice(0, 100)}`
  return new ProblemError('UNSUPPORTED_MEDIA_TYPE', detail)
}

interface Fault {
  detail: string
  error: { path: string; message: string }
}

function lossFault(text: string): Fault | null {
  const loss = findLoss(text)
  return loss && fault(['body', ...loss.path].join('/'), loss.message)
}

/** Finds the first string with a NUL or a lone surrogate, or the first value nested too deeply. */
function findFault(value: unknown, path: string, depth: number): Fault | null {
  if (typeof value === 'string') return textFault(value, path)
  if (typeof value !== 'object' || value === null) return null
  if (depth >= MAX_DEPTH) return fault(path, `must not be nested deeper than ${MAX_DEPTH} levels`)
  for (const [name, member] of Object.entries(value)) {
    const found = textFault(name, path) ?? findFault(member, `${path}/${name}`, depth + 1)
    if (found) return found
  }
  return null
}

function textFault(text: string, path: string): Fault | null {
  if (text.includes('\0')) return fault(path, 'must not contain a NUL character')
  return text.isWellFormed() ? null : fault(path, 'must be well-formed Unicode, without lone surrogates')
}

function fault(path: string, message: string): Fault {
  return { detail: `${path} ${message}`, error: { path, message } }
}
