/** Languages as sources name them. ISO 639-1 ("de") is what the API speaks. */

/** Europe PMC and PubMed use the bibliographic codes of ISO 639-2 where the two sets differ. */
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

/** The three-letter code to search by; undefined: search all and judge afterwards. */
export function bibliographicCode(language: string): string | undefined {
  return BIBLIOGRAPHIC[language]
}

/** "eng", "ger", "en-GB" or "de" as ISO 639-1; a language without such a code keeps its own; null for none. */
export function languageCode(value: string | null): string | null {
  const code = value?.trim().toLowerCase() ?? ''
  if (!/^[a-z]{2,3}(?:-[a-z0-9]+)*$/.test(code) || code === 'und') return null
  return new Intl.Locale(code).language
}
