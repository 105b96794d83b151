/** Says why an answer is not JSON, naming the usual mistakes. */
import { isUtf8 } from 'node:buffer'

export interface TextFault {
  /** What it is instead, in our own words. */
  words: string
  /** Whether it is only cut off or empty, so that another attempt may get all of it. */
  isCutOff: boolean
}

/** `error` is the parser's error. */
export function faultOfText(bytes: Buffer, { message }: Error): TextFault {
  const words = mistakeIn(bytes)
  if (words) return { words, isCutOff: false }
  if (bytes.toString().trim() === '') return { words: 'it is empty', isCutOff: true }
  // An NDJSON line with its line break was not cut off.
  const isCutOff = bytes.at(-1) !== NEWLINE && failsAtEnd(message, bytes.toString().length)
  return { words: isCutOff ? 'the JSON is cut off' : 'it is not JSON', isCutOff }
}

const NEWLINE = 0x0a

/** Recognises V8's messages. */
function failsAtEnd(message: string, length: number): boolean {
  if (/end of JSON|Unterminated/.test(message)) return true
  return Number(/at position (\d+)/.exec(message)?.[1]) >= length
}

function mistakeIn(bytes: Buffer): string | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'it is gzip data without a Content-Encoding: gzip header'
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return 'it is UTF-16, and must be UTF-8'
  if (!isUtf8(bytes)) return 'it is not UTF-8'
  const text = bytes.toString().trim()
  if (text.startsWith('<')) return 'it is an HTML or XML page'
  if (/^(data|event|id|retry|):/.test(text)) return 'it is an event stream: send NDJSON instead'
  // Ignore the contents of strings.
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  const number = /-?\b(NaN|Infinity)\b/.exec(bare)?.[0]
  if (number) return `it contains ${number}, which JSON does not allow`
  if (/^[[{(]\s*'|\b(True|False|None)\b/.test(bare))
    return 'it is a Python dict printed as text: use json.dumps'
  return isNdjson(text) ? 'it is NDJSON: its content type must be application/x-ndjson' : null
}

function isNdjson(text: string): boolean {
  const end = text.indexOf('\n')
  if (end === -1) return false
  try {
    return typeof JSON.parse(text.slice(0, end)) === 'object'
  } catch {
    return false
  }
}
