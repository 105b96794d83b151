/**
 * Validates requests with two rules: a body is taken as it is, nothing coerced and nothing dropped; path, query and
 * headers are text by nature, so a number in them is read as one.
 */
import { Ajv, type Options } from 'ajv'
import formats from 'ajv-formats'
import fp from 'fastify-plugin'

export default fp(
  async (app) => {
    const strict = compilerWith({ allErrors: true })
    // Not strict: "Infinity" would be read as a number and then be spared its limits.
    const coercing = compilerWith({ coerceTypes: true, useDefaults: true, strictNumbers: false })
    app.setValidatorCompiler(({ schema, httpPart }) =>
      (httpPart === 'body' ? strict : coercing).compile(schema),
    )
  },
  { name: 'validation' },
)

function compilerWith(options: Options): Ajv {
  // Verbose: an error carries the schema it comes from, whose description is what a pattern means in words.
  const ajv = new Ajv({ strictTypes: false, verbose: true, ...options })
  formats.default(ajv)
  return ajv
}
