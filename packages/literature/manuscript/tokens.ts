/**
 * The parts of a manuscript. Every number and citation is a token read from an artifact by JSON pointer, so it can be
 * traced and cannot be mistyped. Text with a bare number or citation is rejected.
 */

/** A file that supplies numbers and citations, or the stage's inputs. */
export interface Artifact {
  name: string
  stage: number
  sha256: string
  value: unknown
}

export type Inline =
  | { kind: 'words'; text: string }
  /** A proper name that contains a number. */
  | { kind: 'name'; text: string }
  | { kind: 'value'; text: string; artifact: Artifact; pointer: string }
  | { kind: 'citation'; key: string; text: string; paper_id: string; artifact: Artifact; pointer: string }
  /** Where the author must add a judgement. */
  | { kind: 'gap'; text: string }

export type Block =
  | { kind: 'paragraph'; content: Inline[] }
  | { kind: 'list'; items: Inline[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'code'; content: Inline[] }

export interface Section {
  id: string
  title: string
  level: 1 | 2
  blocks: Block[]
}

export interface Manuscript {
  title: Inline[]
  authors: Inline[][]
  notice: Inline[]
  sections: Section[]
}

/** The only names with a number that the text may use. */
const NAMES = ['PRISMA 2020']

export class BareToken extends Error {
  constructor(text: string) {
    super(`The text contains a number or citation that is not bound to an artifact: ${JSON.stringify(text)}`)
    this.name = 'BareToken'
  }
}

/** The manuscript's own words. Throws `BareToken` for digits and for text that looks like a citation. */
export function words(text: string): Inline {
  if (/\p{N}|\[@|\bet al\b/u.test(text)) throw new BareToken(text)
  return { kind: 'words', text }
}

export function name(text: string): Inline {
  if (!NAMES.includes(text)) throw new BareToken(text)
  return { kind: 'name', text }
}

export function gap(text: string): Inline {
  const checked = words(text)
  return { kind: 'gap', text: 'text' in checked ? checked.text : '' }
}

/** The value at the pointer as text. Throws if it cannot be printed. */
export function value(artifact: Artifact, pointer: string): Inline {
  const found = at(artifact.value, pointer)
  if (typeof found !== 'string' && typeof found !== 'number') {
    throw new Error(`${artifact.name} has no text or number at ${pointer}`)
  }
  return { kind: 'value', text: String(found), artifact, pointer }
}

/** A sentence: words with tokens between them. */
export function say(parts: TemplateStringsArray, ...tokens: (Inline | Inline[])[]): Inline[] {
  return parts.flatMap((part, place) => [
    ...(part === '' ? [] : [words(part)]),
    ...[tokens[place] ?? []].flat(),
  ])
}

/** Tokens as a list with commas and "and". */
export function joined(all: readonly (Inline | Inline[])[]): Inline[] {
  return all.flatMap((one, place) => {
    const between = place === 0 ? [] : [words(place === all.length - 1 ? ' and ' : ', ')]
    return [...between, ...[one].flat()]
  })
}

/** "1 paper", "2 papers". */
export function counted(artifact: Artifact, pointer: string, noun: string): Inline[] {
  const number = value(artifact, pointer)
  return [number, words('text' in number && number.text === '1' ? ` ${noun}` : ` ${noun}s`)]
}

export function pointerTo(...names: (string | number)[]): string {
  return names.map((one) => `/${String(one).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function at(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (inside, part) => Object(inside)[part.replaceAll('~1', '/').replaceAll('~0', '~')] as unknown,
      document,
    )
}
