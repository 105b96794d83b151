/** `Prefer: wait=<seconds>` (RFC 7240): how long the client is willing to wait for the job to end. */

/** One preference: name and bare or quoted value. Parameters after it are ignored. */
const WAIT = /^wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i

/** The seconds, or null if the header has no valid `wait`. The first of several counts. */
export function preferredWait(prefer = ''): number | null {
  // Do not split at commas inside quotation marks.
  const preferences = prefer.match(/(?:[^",]|"(?:[^"\\]|\\.)*"|")+/g) ?? []
  const wait = preferences.map((one) => one.trim()).find((one) => /^wait\s*(?:[=;]|$)/i.test(one))
  const [, quoted, bare] = WAIT.exec(wait ?? '') ?? []
  const seconds = quoted ?? bare
  return seconds === undefined ? null : Number(seconds)
}
