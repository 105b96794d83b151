/** Finds the reason in an error body, in the forms that common frameworks use. */

export interface Reason {
  code?: string | undefined
  message?: string | undefined
}

/** The reason in the text of an error answer, either JSON or a line of plain text. */
export function reasonOf(body: string): Reason {
  try {
    return reasonIn(JSON.parse(body))
  } catch {
    // HTML pages are for browsers.
    return { message: /^\s*</.test(body) ? undefined : textOf(body) }
  }
}

/** The reason in a parsed error: `detail` (FastAPI, RFC 9457), `message`, or `error` as a string or an object. */
export function reasonIn(value: unknown): Reason {
  if (!isObject(value)) return {}
  const { detail, message, error, title, code } = value
  for (const one of [detail, error]) {
    if (!isObject(one) || Array.isArray(one)) continue
    const inner = reasonIn(one)
    if (inner.message || inner.code) return inner
  }
  const text = textOf(detail) ?? faultsIn(detail) ?? textOf(message) ?? textOf(error) ?? textOf(title)
  return { code: codeOf(code), message: text }
}

/** A service's error code, if it looks like one. Codes are logged, and free text might be a user's. */
export function codeOf(code: unknown): string | undefined {
  return typeof code === 'string' && /^[A-Za-z0-9_.-]{1,100}$/.test(code) ? code : undefined
}

const MAX_CHARACTERS = 500

/** A service's text, short enough for every event of a job and without broken characters. */
export function clip(text: string): string {
  if (text.length <= MAX_CHARACTERS) return text.toWellFormed()
  // Do not split a surrogate pair.
  const cut = text.slice(0, MAX_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '')
  return `${cut.toWellFormed()}…`
}

/** FastAPI's list of validation errors: "body.inputs.year_from: Input should be a valid integer". */
function faultsIn(detail: unknown): string | undefined {
  if (!Array.isArray(detail)) return undefined
  const faults = detail.flatMap((fault: unknown) => {
    if (typeof fault === 'string') return [fault]
    const { loc, msg } = (fault ?? {}) as Record<string, unknown>
    if (typeof msg !== 'string') return []
    return [Array.isArray(loc) && loc.length > 0 ? `${loc.join('.')}: ${msg}` : msg]
  })
  return textOf(faults.join('; '))
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? clip(value.trim()) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
