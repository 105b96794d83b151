/** Checks responses against a published OpenAPI document. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

export interface Operation {
  operationId: string
  tags: string[]
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  security?: Record<string, string[]>[]
  requestBody?: { required: boolean; content: Record<string, { schema: object }> }
  responses: Record<
    string,
    { description: string; headers?: Record<string, object>; content?: Record<string, { schema: object }> }
  >
}

export interface Document {
  openapi: string
  info: { title: string; version: string }
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> }
}

export interface DocumentedOperation extends Operation {
  method: string
  path: string
}

export function operationsOf({ paths }: Document): DocumentedOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  )
}

/** The document with each reference replaced by its target. No schema contains itself. */
export function expanded(document: Document): Document {
  const expand = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(expand)
    if (typeof node !== 'object' || node === null) return node
    const { $ref } = node as { $ref?: string }
    if ($ref) return expand(document.components.schemas[$ref.split('/').at(-1) as string])
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, expand(value)]))
  }
  return expand(document) as Document
}

/** Every documented response, as `<operationId> <status> <media type>`. */
export function answersOf(document: Document): string[] {
  return operationsOf(document).flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, { content }]) =>
      Object.keys(content ?? { '-': 0 }).map((type) => `${operationId} ${status} ${type}`),
    ),
  )
}

/** Every documented response header, as `<operationId> <status> <name>`. */
export function headersOf(document: Document): string[] {
  return operationsOf(document).flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, { headers = {} }]) =>
      Object.keys(headers).map((name) => `${operationId} ${status} ${name}`),
    ),
  )
}

export class Judge {
  readonly ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true })
  private readonly operations: Map<string, DocumentedOperation>
  private readonly compiled = new Map<string, ValidateFunction>()

  constructor(document: Document) {
    formats.default(this.ajv)
    this.ajv.addSchema(document, 'openapi.json')
    this.operations = new Map(operationsOf(document).map((one) => [one.operationId, one]))
  }

  operation(id: string): DocumentedOperation {
    const found = this.operations.get(id)
    if (!found) throw new Error(`the document has no operation ${id}`)
    return found
  }

  /** The faults of a response, and the documented response that it matches. */
  judge(
    id: string,
    status: number,
    contentType: string | null,
    body: string,
  ): { answer: string; faults: string[] } {
    const { method, path, responses } = this.operation(id)
    const documented = responses[status]
    if (!documented) return { answer: '', faults: [`status ${status} is not documented for ${id}`] }
    if (!documented.content) {
      const faults =
        body === '' ? [] : [`${status} of ${id} should have no body, it has ${body.slice(0, 100)}`]
      return { answer: `${id} ${status} -`, faults }
    }
    const given = contentType?.split(';')[0] ?? ''
    // A file may have any type, but the document must describe it as bytes for generated clients.
    const type = [given, 'application/octet-stream'].find((one) => documented.content?.[one])
    if (!type) return { answer: '', faults: [`${status} of ${id} is not documented as ${given}`] }
    const answer = `${id} ${status} ${type}`
    if (!/json$/.test(type)) return { answer, faults: [] }
    const pointer = ['paths', path, method.toLowerCase(), 'responses', `${status}`, 'content', type, 'schema']
    const validate = this.at(pointer)
    if (validate(JSON.parse(body))) return { answer, faults: [] }
    return { answer, faults: [`${answer}: ${this.ajv.errorsText(validate.errors)} in ${body.slice(0, 300)}`] }
  }

  /** The validator of the schema at this place in the document. */
  at(path: string[]): ValidateFunction {
    const pointer = path
      .map((one) => encodeURIComponent(one.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/')
    let validate = this.compiled.get(pointer)
    if (!validate) {
      validate = this.ajv.compile({ $ref: `openapi.json#/${pointer}` })
      this.compiled.set(pointer, validate)
    }
    return validate
  }
}
