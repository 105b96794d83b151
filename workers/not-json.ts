/** Tells why an answer is not JSON: the usual mistakes, each by its name. */
import { isUtf8 } from 'node:buffer'

export interface TextFault {
  /** What it is instead, in our own words. */
  words: string
  /** Whether it merely breaks off or is empty, and so may be whole at the next attempt. */
  isCutOff: boolean
}

/** `error` is the parser's. */
export function faultOfText(bytes: Buffer, { message }: Error): TextFault {
  const words = mistakeIn(bytes)
  if (words) return { words, isCutOff: false }
  if (bytes.toString().trim() === '') return { words: 'it is empty', isCutOff: true }
  // A line of NDJSON that has its line break was not cut off.
  const isCutOff = bytes.at(-1) !== NEWLINE && failsAtEnd(message, bytes.toString().length)
  return { words: isCutOff ? 'it breaks off within the JSON' : 'it is not JSON', isCutOff }
}

const NEWLINE = 0x0a

/** By V8's messages. */
function failsAtEnd(message: string, length: number): boolean {
  if (/end of JSON|Unterminated/.test(message)) return true
  return Number(/at position (\d+)/.exec(message)?.[1]) >= length
}

function mistakeIn(bytes: Buffer): string | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    return 'it is gzip data without the header Content-Encoding: gzip'
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return 'it is UTF-16, and must be UTF-8'
  if (!isUtf8(bytes)) return 'it is not UTF-8'
  const text = bytes.toString().trim()
  if (text.startsWith('<')) return 'it is an HTML or XML page'
  if (/^(data|event|id|retry|):/.test(text)) return 'it is an event stream: send NDJSON instead'
  // What texts say is not meant.
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  const number = /-?\b(NaN|Infinity)\b/.exec(bare)?.[0]
  if (number) return `it holds ${number}, which JSON does not have`
  if (/^[[{(]\s*'|\b(True|False|None)\b/.test(bare)) return 'it is how Python shows a dict: use json.dumps'
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
