/** Reads the file that STAGES_FILE names. */
import { readFileSync } from 'node:fs'
import { LossyJsonError, parseExact } from '../contract/exact-json.ts'

/** The file's JSON, or its fault in one line. Ignores a byte-order mark. */
export function readStagesFile(path: string): { value: unknown } | { fault: string } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : (code ?? 'unknown')
    return { fault: `cannot be read: ${JSON.stringify(path)} (${why})` }
  }
  try {
    return { value: parseExact(text) }
  } catch (error) {
    if (error instanceof LossyJsonError) return { fault: `${error.path} ${error.fault}` }
    return { fault: `must contain JSON: ${(error as Error).message.replaceAll(/\s+/g, ' ')}` }
  }
}
