/**
 * Validates requests. In a body, no value is coerced and no field dropped. Path, query and headers are text, so plain
 * decimal numbers are parsed, and ids are converted to lower case. Unknown query parameters are rejected, because a
 * misspelt filter would otherwise match everything.
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
      // Only Bull Board's routes have no schema. They accept their own query parameters.
      if (route.schema && /(^|\/)api\//.test(route.url))
        route.schema = { querystring: NOTHING, ...route.schema }
    })
    // Use Fastify's own serializer, whatever the host has set. Each schema is compiled for its first response.
    app.setSerializerCompiler((route) => (data) => serializerOf(route)(data))
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

/** Compiles a schema on its first request: compiling all of them would take most of the startup time. */
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

const compileSerializer = SerializerSelector()({}, {}) as FastifySerializerCompiler<unknown>
/** Most routes share the schema of an error. */
const serializers = new WeakMap<object, ReturnType<typeof compileSerializer>>()

function serializerOf(route: Parameters<typeof compileSerializer>[0]): ReturnType<typeof compileSerializer> {
  const schema = route.schema as object
  const serialize = serializers.get(schema) ?? compileSerializer(route)
  serializers.set(schema, serialize)
  return serialize
}

type ObjectSchema = { properties?: Record<string, { type?: string; format?: string }> }

const NOTHING = { type: 'object', properties: {} }
/** URL templates may leave these parameters empty, which counts as absent. */
const MAY_BE_EMPTY = ['after', 'lastEventId', 'wait', 'ticket']

/**
 * Ajv's coercion accepts `0x2`, `+2`, ` 2`, `2e0` and `Infinity`, so one resource would have many URLs. Anything that is
 * not a plain number stays a string, which the schema rejects.
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

/** The parameters that need conversion. */
function typesOf({ properties = {} }: ObjectSchema): [name: string, type: string][] {
  return Object.entries(properties).flatMap(([name, { type = '', format }]): [string, string][] => {
    if (format === 'uuid') return [[name, format]]
    return type in PLAIN ? [[name, type]] : []
  })
}

function compilerWith(options: Options): Ajv {
  // `verbose` attaches the schema to an error; its description explains a pattern in words.
  const ajv = new Ajv({ strictTypes: false, verbose: true, ...options })
  formats.default(ajv)
  return ajv
}
