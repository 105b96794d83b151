/** What readers call a source. Files and options use its short name. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['sample', 'the built-in sample collection'],
  ['europepmc', 'Europe PMC'],
  ['pubmed', 'PubMed'],
  ['openalex', 'OpenAlex'],
  ['crossref', 'Crossref'],
])

export function sourceName(source: string): string {
  return NAMES.get(source) ?? source
}

/** At the beginning of a sentence. */
export function sourceNameFirst(source: string): string {
  return sourceName(source).replace(/^the /, 'The ')
}

/** "PubMed and OpenAlex". */
export function sourceNames(sources: readonly string[]): string {
  const names = sources.map(sourceName)
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? '')
}
