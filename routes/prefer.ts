/** `Prefer: wait=<seconds>` by RFC 7240: how long a client would have an answer held back. */

/** One preference: its name, and its value bare or quoted. Parameters behind it mean nothing here. */
const WAIT = /^wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i

/** The seconds, null where none can be read: what is not understood is ignored. The first of several counts. */
export function preferredWait(prefer = ''): number | null {
  // A comma inside quotation marks separates nothing.
  const preferences = prefer.match(/(?:[^",]|"(?:[^"\\]|\\.)*"|")+/g) ?? []
  const wait = preferences.map((one) => one.trim()).find((one) => /^wait\s*(?:[=;]|$)/i.test(one))
  const [, quoted, bare] = WAIT.exec(wait ?? '') ?? []
  const seconds = quoted ?? bare
  return seconds === undefined ? null : Number(seconds)
}
