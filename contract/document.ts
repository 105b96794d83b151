/** Names the schemas of an OpenAPI document, so that generated code has named types. */

type Node = { [key: string]: unknown }
type Components = Record<string, unknown>

/** A title that can be used as a type name. */
const NAME = /^[A-Z][A-Za-z0-9]*$/

/**
 * Moves each schema whose title is a valid name to `components/schemas` and replaces it by a reference. A union of
 * string literals becomes one enum. Does not modify `document`. Throws if two different schemas use the same name.
 */
export function nameParts<D extends object>(document: D): D {
  const schemas: Components = {}
  const walked = walk(document, schemas) as Node & { components?: Node }
  const own = walked.components?.schemas as Components | undefined
  for (const [name, schema] of Object.entries(own ?? {})) claim(schemas, name, schema)
  const sorted = Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...walked, components: { ...walked.components, schemas: Object.fromEntries(sorted) } } as D
}

/** Schemas of inputs. The titles inside them are a catalogue's free text, so two stages may use the same title. */
const INPUTS_TITLE = /^Stage\d+Inputs$/

function walk(node: unknown, schemas: Components | null): unknown {
  if (Array.isArray(node)) return node.map((one) => walk(one, schemas))
  if (typeof node !== 'object' || node === null) return node
  const { title, ...rest } = node as Node
  const words = wordsOf(rest)
  const { anyOf: _, ...bare } = rest
  const inner = INPUTS_TITLE.test(String(title)) ? null : schemas
  const walked: Node = words
    ? { ...bare, type: 'string', enum: words }
    : Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, walk(value, inner)]))
  if (typeof title !== 'string' || !NAME.test(title) || !isSchema(walked) || !schemas)
    return title === undefined ? walked : { title: walk(title, schemas), ...walked }
  claim(schemas, title, walked)
  return { $ref: `#/components/schemas/${title}` }
}

/** Distinguishes a schema from `info`, which has a title too, and from properties that contain one named `title`. */
function isSchema({ type, anyOf, allOf }: Node): boolean {
  return typeof type === 'string' || Array.isArray(anyOf) || Array.isArray(allOf)
}

/** The literals of a union of strings; null if the union contains anything else. */
function wordsOf({ type, enum: words, anyOf }: Node): unknown[] | null {
  if (type === 'string' && Array.isArray(words)) return words
  if (!Array.isArray(anyOf)) return null
  const parts = (anyOf as Node[]).map(wordsOf)
  return parts.includes(null) ? null : parts.flatMap((part) => part ?? [])
}

function claim(schemas: Components, name: string, schema: unknown): void {
  const known = schemas[name]
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema))
    throw new Error(`Two different schemas of the document are named ${name}`)
  schemas[name] = schema
}
