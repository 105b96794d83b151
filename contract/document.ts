/** Gives the parts of an OpenAPI document their names, so that generated code has types to call by name. */

type Node = { [key: string]: unknown }
type Components = Record<string, unknown>

/** A title that is a name. */
const NAME = /^[A-Z][A-Za-z0-9]*$/

/**
 * Each schema whose title is a name becomes a component of that name, wherever it stands, with a reference in its place;
 * alternatives that are single words become one enum. `document` itself stays as it is. Throws when two schemas claim
 * one name.
 */
export function nameParts<D extends object>(document: D): D {
  const schemas: Components = {}
  const walked = walk(document, schemas) as Node & { components?: Node }
  const own = walked.components?.schemas as Components | undefined
  for (const [name, schema] of Object.entries(own ?? {})) claim(schemas, name, schema)
  const sorted = Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...walked, components: { ...walked.components, schemas: Object.fromEntries(sorted) } } as D
}

/** Titles below such a schema come from a catalogue and are words for people: two stages may use the same. */
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

/** The info of a document has a title too, and a property may be called so. */
function isSchema({ type, anyOf, allOf }: Node): boolean {
  return typeof type === 'string' || Array.isArray(anyOf) || Array.isArray(allOf)
}

/** What a union of words comes down to; null when something else is in it. */
function wordsOf({ type, enum: words, anyOf }: Node): unknown[] | null {
  if (type === 'string' && Array.isArray(words)) return words
  if (!Array.isArray(anyOf)) return null
  const parts = (anyOf as Node[]).map(wordsOf)
  return parts.includes(null) ? null : parts.flatMap((part) => part ?? [])
}

function claim(schemas: Components, name: string, schema: unknown): void {
  const known = schemas[name]
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema))
    throw new Error(`Two schemas of the document claim the name ${name}`)
  schemas[name] = schema
}
