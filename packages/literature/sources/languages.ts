/** Language codes of the sources; our API uses ISO 639-1 ("de"). */

/** Europe PMC and PubMed use the bibliographic ISO 639-2 codes where the two sets differ. */
const BIBLIOGRAPHIC: Readonly<Record<string, string>> = {
  ar: 'ara',
  bg: 'bul',
  cs: 'cze',
  da: 'dan',
  de: 'ger',
  el: 'gre',
  en: 'eng',
  es: 'spa',
  et: 'est',
  fa: 'per',
  fi: 'fin',
  fr: 'fre',
  he: 'heb',
  hr: 'hrv',
  hu: 'hun',
  id: 'ind',
  it: 'ita',
  ja: 'jpn',
  ko: 'kor',
  lt: 'lit',
  lv: 'lav',
  nl: 'dut',
  no: 'nor',
  pl: 'pol',
  pt: 'por',
  ro: 'rum',
  ru: 'rus',
  sk: 'slo',
  sl: 'slv',
  sr: 'srp',
  sv: 'swe',
  th: 'tha',
  tr: 'tur',
  uk: 'ukr',
  vi: 'vie',
  zh: 'chi',
}

/** The three-letter code; if undefined, search all languages and filter afterwards. */
export function bibliographicCode(language: string): string | undefined {
  return BIBLIOGRAPHIC[language]
}

/** Converts "eng", "ger", "en-GB" or "de" to ISO 639-1, where there is such a code; null if it is invalid. */
export function languageCode(value: string | null): string | null {
  const code = value?.trim().toLowerCase() ?? ''
  if (!/^[a-z]{2,3}(?:-[a-z0-9]+)*$/.test(code) || code === 'und') return null
  return new Intl.Locale(code).language
}
