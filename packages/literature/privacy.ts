/**
 * Keeps private data on this machine. Queries go to public services, so a question or keyword with what looks like an
 * e-mail address, a phone number or a record number is refused before anything is sent.
 */
import { StageFailure } from '../stage-kit/stage.ts'

/** Numbers that belong in a question: identifiers of publications, trials and gene variants, and ranges of years. */
const HARMLESS = [
  /\b(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:?\s*)?10\.\d{4,9}\/\S+/giu,
  /\b(?:pmid:?\s*|pmc\s?|nct\s?|isrctn\s?|rs|actrn|chictr[-\w]{0,20}?|drks|eudract\s?)\d+(?:-\d+)*/giu,
  /(?<!\d)(?:1[5-9]|20|21)\d\d(?:\s?[-–—/]\s?(?:1[5-9]|20|21)\d\d)?(?!\d)/gu,
]

const PATTERNS: readonly [what: string, pattern: RegExp][] = [
  ['an e-mail address', /[^\s@<>()]{1,64}@[^\s@<>()]{1,255}\.[^\s@<>()]{2,}/u],
  ['an e-mail address', /\S\s{0,3}[([{]\s{0,3}(?:at|@)\s{0,3}[)\]}]\s{0,3}\S/iu],
  [
    'a record number',
    /\b(?:mrn|ssn|nhs|ehr|patient|medical record|record|chart|case|hospital|insurance|social security|passport)(?:\s+(?:id|no|nr|number))?\.?\s*[:#=]\s*[\p{L}-]{0,4}\d[\d\p{L}-]{2,}/iu,
  ],
  [
    'a record number',
    /\b(?:mrn|ssn|(?:nhs|patient|medical|record|chart|case|hospital|insurance|social security|passport)\s+(?:id|no|nr|number)\b)\.?\s*(?:is\s+)?[\p{L}-]{0,4}\d[\d\p{L}-]{2,}/iu,
  ],
  ['a record number', /(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)/u],
  ['a phone number', /(?<![\d.])(?:\+|00)\s?\d(?:[\s()./-]{0,2}\d){6,14}(?!\d)/u],
  ['a phone number', /(?<![\d.])\(?\d{3,5}\)?[\s./-]\d{3,4}[\s.-]\d{4}(?!\d)/u],
  ['a phone number', /(?<![\d.])\(?0\d{1,4}\)?[\s/-]\d(?:[\s-]?\d){4,9}(?!\d)/u],
  ['a record number', /(?<![\d.])\p{L}{0,3}-?\d{7,}(?!\d)/u],
]

/** This many patterns are checked before harmless numbers are removed. */
const NAMED = 4

/** Throws a 422 `StageFailure` that names the field and the kind of data, but never quotes it. */
export function refusePrivate(field: string, text: string): void {
  // Full-width and other digits count too, and invisible characters must not hide an address.
  let plain = text
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/\p{Nd}/gu, asciiDigit)
  // These identify themselves, even if they contain something harmless.
  const named = PATTERNS.slice(0, NAMED).find(([, pattern]) => pattern.test(plain))
  for (const harmless of HARMLESS) plain = plain.replace(harmless, ' … ')
  const found = named ?? PATTERNS.find(([, pattern]) => pattern.test(plain))
  if (!found) return
  const message = `${field} contains what looks like ${found[0]}. Nothing was sent to any source. Remove it and try again.`
  throw new StageFailure(422, 'PRIVATE_DATA', message)
}

/** Unicode arranges decimal digits in blocks of ten, each beginning with its zero. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0
  if (code < 128) return digit
  let zero = code
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero--
  return String(code - zero)
}
