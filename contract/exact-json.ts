/**
 * Finds what `JSON.parse` would silently change or drop: numbers that JavaScript cannot represent, such as
 * 12345678901234567890, and all but the last value of a duplicate key.
 */

export interface Loss {
  /** Member names and indexes that lead to the value. */
  path: string[]
  /** What is wrong; reads as a sentence after the path. */
  message: string
}

/** Thrown by `parseExact`. Invalid JSON still throws a SyntaxError. */
export class LossyJsonError extends Error {
  readonly path: string
  readonly fault: string

  constructor({ path, message }: Loss) {
    const place = `/${path.join('/')}`
    super(`${place} ${message}`)
    this.name = 'LossyJsonError'
    this.path = place
    this.fault = message
  }
}

/** `JSON.parse`, but throws where it would change or drop something. */
export function parseExact(text: string): unknown {
  const value = JSON.parse(text)
  const loss = findLoss(text)
  if (loss) throw new LossyJsonError(loss)
  return value
}

/** An open container: an object has `names`; for an array, `at` is the index. */
interface Open {
  names: Set<string> | null
  at: string | number
}

/** The first thing that `JSON.parse(text)` would change or drop. `text` must be valid JSON. */
export function findLoss(text: string): Loss | null {
  const open: Open[] = []
  let top: Open | undefined
  // Whether the next string is a member name.
  let isName = false
  const loss = (message: string): Loss => ({ path: open.map(({ at }) => String(at)), message })

  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const end = endOfString(text, i)
        if (isName && top?.names) {
          const raw = text.slice(i + 1, end)
          const name: string = raw.includes('\\') ? JSON.parse(text.slice(i, end + 1)) : raw
          top.at = name
          if (top.names.has(name)) return loss('must not be given twice: it is unclear which value counts')
          top.names.add(name)
          isName = false
        }
        i = end
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        isName = text.charCodeAt(i) === 0x7b
        top = { names: isName ? new Set() : null, at: isName ? '' : 0 }
        open.push(top)
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        top = open.at(-1)
        isName = false
        break
      case 0x2c: // ,
        isName = top?.names !== null
        if (top && !isName) top.at = (top.at as number) + 1
        break
      case 0x2d: // -
      case 0x30:
      case 0x31:
      case 0x32:
      case 0x33:
      case 0x34:
      case 0x35:
      case 0x36:
      case 0x37:
      case 0x38:
      case 0x39: {
        const end = endOfNumber(text, i)
        // A double holds up to fifteen digits exactly; negative zero is lost.
        if ((end - i > 15 || !isPlain(text, i, end)) && !isExact(text.slice(i, end))) return loss(NOT_EXACT)
        i = end - 1
        break
      }
    }
  }
  return null
}

const NOT_EXACT = 'must be a number that a double represents exactly; send a longer one as a string'

/** Index of the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1
    if (slashes % 2 === 0) return end
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end)
    // Digits, a point, an exponent and its sign.
    const isPart =
      (code >= 0x30 && code <= 0x39) ||
      code === 0x2e ||
      code === 0x65 ||
      code === 0x45 ||
      code === 0x2b ||
      code === 0x2d
    if (!isPart) break
  }
  return end
}

/** Whether the number has neither a minus sign nor an exponent. */
function isPlain(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i)
    if (code === 0x2d || code === 0x65 || code === 0x45) return false
  }
  return true
}

/** Whether parsing and printing keeps the value, digit for digit; `1.50` and `15e-1` count as equal. */
function isExact(written: string): boolean {
  const number = Number(written)
  return Number.isFinite(number) && !Object.is(number, -0) && plain(written) === plain(String(number))
}

/** One normal form for each decimal value: sign, digits without leading or trailing zeros, power of ten. */
function plain(number: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = whole + fraction
  let start = 0
  while (digits[start] === '0') start += 1
  // A regular expression such as `0+$` would take quadratic time for zeros in the middle.
  let end = digits.length
  while (end > start && digits[end - 1] === '0') end -= 1
  if (start === end) return '0'
  const power = Number(exponent) - fraction.length + (digits.length - end)
  return `${sign}${digits.slice(start, end)}e${power}`
}

const ESCAPE = /\\(?:u(?:d[89ab][\da-f]{2}\\ud[c-f]|(d[89a-f][\da-f]{2}))|[\s\S])/gi

/** Replaces each lone surrogate in a JSON text by U+FFFD: UTF-8 cannot encode it. */
export function mendSurrogates(text: string): string {
  if (!/\\ud[89a-f]/i.test(text)) return text
  return text.replace(ESCAPE, (whole, lone?: string) => (lone ? '\\ufffd' : whole))
}
