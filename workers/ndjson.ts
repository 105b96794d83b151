/** Splits a byte stream into NDJSON lines, holding at most one line and one chunk in memory. */
const NEWLINE = 0x0a

/**
 * Yields each line that is not blank, with its line break, which the last one may lack. A line longer than `maxBytes`
 * throws what `tooLong` returns.
 */
export async function* readLines(
  bytes: AsyncIterable<Buffer>,
  maxBytes: number,
  tooLong: (maxBytes: number) => Error,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (size + end - start > maxBytes) throw tooLong(maxBytes)
      const line = Buffer.concat([...parts, chunk.subarray(start, end + 1)])
      parts = []
      size = 0
      start = end + 1
      if (!isBlank(line)) yield line
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start))
      size += chunk.length - start
      if (size > maxBytes) throw tooLong(maxBytes)
    }
  }
  const rest = Buffer.concat(parts)
  if (!isBlank(rest)) yield rest
}

/** Whether a line holds only spaces, tabs and line breaks. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= NEWLINE + 3))
}
