/**
 * Validates requests with two rules: a body is taken as it is, nothing coerced and nothing dropped; path, query and
 * headers are text by nature, so a number in them is read as one, if it is written plainly, and an id in capitals is
 * the same id. A query parameter that a route does not know is refused: a filter with a typo would match everything.
 */
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import { Ajv, type Options, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { FastifySerializerCompiler, FastifyValidationResult } from 'fastify/types/schema.js'
import fp from 'fastify-plugin'

export default fp(
  async (app) => {
    const strict = compilerWith({ allErrors: true })
    const lenient = compilerWith({ useDefaults: true })
    app.addHook('onRoute', (route) => {
      // Routes without a schema are those of Bull Board, which has queries of its own.
      if (route.schema && /(^|\/)api\//.test(route.url))
        route.schema = { querystring: NOTHING, ...route.schema }
    })
    // Fastify's own, which the application around this one may have replaced.
    app.setSerializerCompiler(SerializerSelector()({}, {}) as FastifySerializerCompiler<unknown>)
    app.setValidatorCompiler(({ schema, httpPart }) => {
      if (httpPart === 'body') return lazy(() => strict.compile(schema))
      const isQuery = httpPart === 'querystring'
      const validate = lazy(() =>
        lenient.compile(isQuery ? { ...(schema as object), additionalProperties: false } : schema),
      )
      const types = typesOf(schema as ObjectSchema)
      const check: FastifyValidationResult = (texts) => {
        if (isQuery) for (const name of MAY_BE_EMPTY) if (texts[name] === '') delete texts[name]
        for (const [name, type] of types) if (name in texts) texts[name] = read(texts[name], type)
        const valid = validate(texts)
        check.errors = validate.errors ?? null
        return valid
      }
      return check
    })
  },
  { name: 'validation' },
)

/** Compiles a schema for its first request: compiling all of them would take most of the start. */
function lazy(compile: () => ValidateFunction): FastifyValidationResult {
  let validate: ValidateFunction | undefined
  const check: FastifyValidationResult = (data) => {
    validate ??= compile()
    const valid = validate(data) as boolean
    check.errors = validate.errors ?? null
    return valid
  }
  return check
}

type ObjectSchema = { properties?: Record<string, { type?: string; format?: string }> }

const NOTHING = { type: 'object', properties: {} }
/** Templates of URLs leave these behind when there is nothing to put in: as good as absent. */
const MAY_BE_EMPTY = ['after', 'lastEventId', 'wait', 'ticket']

/**
 * Ajv's own coercion reads `0x2`, `+2`, ` 2` and `2e0` as 2, and `Infinity` too: one resource would have many names.
 * What is not plain stays a text, which its schema refuses.
 */
const PLAIN: Record<string, RegExp> = {
  integer: /^(0|-?[1-9]\d{0,14})$/,
  number: /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/,
  boolean: /^(true|false)$/,
}

function read(text: unknown, type: string): unknown {
  if (typeof text !== 'string') return text
  if (type === 'uuid') return text.toLowerCase()
  return PLAIN[type]?.test(text) ? JSON.parse(text) : text
}

/** The parameters that are not taken as they are. */
function typesOf({ properties = {} }: ObjectSchema): [name: string, type: string][] {
  return Object.entries(properties).flatMap(([name, { type = '', format }]): [string, string][] => {
    if (format === 'uuid') return [[name, format]]
    return type in PLAIN ? [[name, type]] : []
  })
}

function compilerWith(options: Options): Ajv {
  // Verbose: an error carries the schema it comes from, whose description is what a pattern means in words.
  const ajv = new Ajv({ strictTypes: false, verbose: true, ...options })
  formats.default(ajv)
  return ajv
}
