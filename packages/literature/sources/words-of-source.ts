/** What a source says in its own words when it gives nothing, and what to do about it. */

/** Longer ones are cut: messages stand in lists and logs. */
const MOST = 200

/** The source's words out of JSON, XML or a page for people; null where it says nothing that can be quoted. */
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

/** Only fields for words: beside them some sources repeat the key that was sent. */
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

/** An error that came with status 200; null for an answer. Errors are short: a long body is not looked through. */
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

/** Whether these words ask for patience. */
export function saysSlowDown(words: string | null): boolean {
  return /\b(?:rate.?limit|slow down|too many|quota|throttl|try again|limit exceeded|exceeded your)/i.test(
    words ?? '',
  )
}

/** Whether the same request would be wrong again. */
export function saysWrong(words: string): boolean {
  return /\b(?:invalid|unsupported|not supported|malformed|syntax|bad request|unknown (?:field|parameter)|missing|required|api.?key)\b/i.test(
    words,
  )
}

/** Words of any error: that a query has them too gives nothing away. */
const OF_ERRORS =
  /^(?:and|not|the|for|with|title|abstract|search|type|from|year|rate|limit|time|timed|out|error|query|failed|read|request|server|service|access|user|data|result|results|field|exceeded)$/

/**
 * Without what was sent: a source may repeat the query, and messages travel into logs. Words of the query become "…", and so
 * do keys and addresses.
 */
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
