/** Normalises identifiers, so that equal ones are equal strings. */

/** Lower case, without a `doi:` prefix or resolver; null if invalid. */
export function doiOf(value: string | null): string | null {
  const doi = value
    ?.trim()
    .toLowerCase()
    .replace(/^(?:https?:\/\/)?(?:dx\.)?doi\.org\//, '')
    .replace(/^doi:\s*/, '')
  return doi && /^10\.\d{4,9}\/\S+$/.test(doi) ? doi : null
}

/** Digits only. */
export function pmidOf(value: string | null): string | null {
  return /^(?:pmid:\s*)?0*([1-9]\d*)$/i.exec(value?.trim() ?? '')?.[1] ?? null
}

/** `PMC` and digits. */
export function pmcidOf(value: string | null): string | null {
  const digits = /^(?:pmc(?:id)?:?\s*)?(?:pmc)?0*([1-9]\d*)$/i.exec(value?.trim() ?? '')?.[1]
  return digits ? `PMC${digits}` : null
}

/** Prefixes under which only preprints are registered (bioRxiv and medRxiv, Research Square, Preprints.org). */
export function isPreprintDoi(doi: string | null): boolean {
  return doi !== null && /^10\.(?:1101\/(?:19|20)\d\d\.|1101\/\d{6}|21203\/rs|20944\/preprints)/.test(doi)
}
