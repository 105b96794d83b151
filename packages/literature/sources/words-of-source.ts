/** Finds a source's own error message and what it implies. */

/** Longer messages are cut, because they appear in lists and logs. */
const MOST = 200

/** The message in JSON, XML or HTML; null if there is none to quote. */
export function wordsOf(body: string): string | null {
  const text = body.trim()
  const words = /^[[{]/.test(text) ? wordsInJson(text) : wordsInMarkup(text)
  const line = words?.replace(/\s+/g, ' ').trim()
  if (!line) return null
  return line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line
}

function wordsInJson(text: string): string | null {
  try {
    return said(JSON.parse(text))
  } catch {
    return null
  }
}

/** Reads only message fields, because some sources repeat our key in other fields. */
function said(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(said).find((one) => one !== null) ?? null
  if (typeof value !== 'object' || value === null) return null
  const fields = value as Record<string, unknown>
  for (const name of ['message', 'errMsg', 'ERROR', 'error', 'errors', 'detail', 'title', 'esearchresult']) {
    const found = name in fields ? said(fields[name]) : null
    if (found)
      return name === 'error' && typeof fields.message === 'string' ? `${found}: ${fields.message}` : found
  }
  return null
}

function wordsInMarkup(text: string): string | null {
  const found = /<(ERROR|title|h1)\b[^>]*>([\s\S]*?)<\/\1\s*>/i.exec(text)?.[2]
  return (found ?? (text.startsWith('<') ? null : text))?.replace(/<[^<>]*>/g, ' ') ?? null
}

/** An error sent with status 200; null for a normal answer. Long bodies are not checked, because errors are short. */
export function errorInside(body: string): string | null {
  if (body.length > 4096) return null
  const xml = /<ERROR\b[^>]*>([\s\S]*?)<\/ERROR>/i.exec(body)?.[1]
  if (xml) return wordsOf(`<ERROR>${xml}</ERROR>`)
  if (!/^\s*\{/.test(body)) return null
  try {
    const value = JSON.parse(body) as Record<string, unknown>
    const inner = value.esearchresult as Record<string, unknown> | undefined
    const failed = value.status === 'failed' || value.status === 'error'
    if (inner && typeof inner.ERROR === 'string') return wordsOf(JSON.stringify({ ERROR: inner.ERROR }))
    return 'error' in value || 'errMsg' in value || 'errors' in value || failed
      ? (wordsOf(body) ?? 'an error')
      : null
  } catch {
    return null
  }
}

/** Whether the source asks the caller to slow down. */
export function saysSlowDown(words: string | null): boolean {
  return /\b(?:rate.?limit|slow down|too many|quota|throttl|try again|limit exceeded|exceeded your)/i.test(
    words ?? '',
  )
}

/** Whether the same request would fail again. */
export function saysWrong(words: string): boolean {
  return /\b(?:invalid|unsupported|not supported|malformed|syntax|bad request|unknown (?:field|parameter)|missing|required|api.?key)\b/i.test(
    words,
  )
}

/** Common words of error messages. Showing them reveals nothing about a query. */
const OF_ERRORS =
  /^(?:and|not|the|for|with|title|abstract|search|type|from|year|rate|limit|time|timed|out|error|query|failed|read|request|server|service|access|user|data|result|results|field|exceeded)$/

/** Replaces query words, keys and e-mail addresses by "…": sources repeat queries, and messages end up in logs. */
export function withoutSent(words: string, sent: Readonly<Record<string, string>>): string {
  const values = Object.entries(sent)
  const whole = values
    .filter(([name, value]) => /key|mail/i.test(name) && value.length > 3)
    .map(([, value]) => value)
  const terms = values
    .filter(([name]) => /^(?:query|term|filter|search|q|id)$/i.test(name))
    .flatMap(([, value]) => value.match(/(?<![\w.])[\p{L}\p{N}-]{3,}(?![\w.]*:)/gu) ?? [])
    .map((term) => term.toLowerCase())
    .filter((term) => !OF_ERRORS.test(term))
  const known = new Set(terms)
  const hidden = whole.reduce((text, value) => text.replaceAll(value, '…'), words)
  return hidden
    .replace(/[\p{L}\p{N}-]{3,}/gu, (word) => (known.has(word.toLowerCase()) ? '…' : word))
    .replace(/(?:…\W*){2,}/g, '… ')
    .trim()
}
