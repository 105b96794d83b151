/** How sources and titles mark a publication as a notice, or as the subject of one. */
import { doiOf, pmidOf } from './identifiers.ts'
import type { NoticeType, SourceRecord, Target } from './paper.ts'

/** Publication types of PubMed and Europe PMC, types of OpenAlex, and update types of Crossref. */
const BY_TYPE: readonly [name: RegExp, type: NoticeType][] = [
  [/^(?:retraction of publication|retraction notice|retraction|partial[ _]retraction)$/i, 'retraction'],
  [/^(?:withdrawal|removal)$/i, 'withdrawal'],
  [/^expression[ _]of[ _]concern$/i, 'expression_of_concern'],
  [/^(?:published erratum|erratum|corrigendum|correction|addendum|clarification)$/i, 'correction'],
]

/** The notice type for a source's word; undefined if it is not a notice. */
export function noticeTypeOfUpdate(word: string): NoticeType | undefined {
  return BY_TYPE.find(([name]) => name.test(word))?.[1]
}

const RELATIONS: readonly [name: RegExp, type: NoticeType][] = [
  [/^(?:partial ?)?retraction ?(of|in)$/i, 'retraction'],
  [/^withdrawal ?(for|of|in)$/i, 'withdrawal'],
  [/^expression ?of ?concern ?(for|in)$/i, 'expression_of_concern'],
  [/^erratum ?(for|in)$/i, 'correction'],
]

/**
 * PubMed's RefType ("ErratumFor") and Europe PMC's type ("Erratum for"): `of` for relations in a notice, `in` for
 * relations in the paper that it is about.
 */
export function noticeTypeOf(relation: string, direction: 'of' | 'in'): NoticeType | undefined {
  for (const [name, type] of RELATIONS) {
    const found = name.exec(relation)
    if (found) return (found[1]?.toLowerCase() === 'in') === (direction === 'in') ? type : undefined
  }
  return undefined
}

/** A record is a notice if its publication types say so, or if it names what it corrects. */
export function noticeOf(
  types: readonly string[],
  relations: readonly ({ relation: string } & Target)[],
): SourceRecord['notice'] {
  const about = relations.flatMap(({ relation, doi, pmid }) => {
    const type = noticeTypeOf(relation, 'of')
    return type ? [{ type, target: { doi, pmid } }] : []
  })
  // With both "Retracted Publication" and "Retraction of Publication", it is a retracted notice: still a notice.
  const told = types.flatMap((type) => noticeTypeOfUpdate(type) ?? [])[0]
  const type = told ?? about[0]?.type
  return type ? { type, about: about.map(({ target }) => target) } : null
}

const OF = String.raw`(?:\s+(?:to|for|on|of|in|regarding)\b|\s*[:.\-–—\[]|\s*["“'‘]|$)`
/**
 * Titles that only notices have. "Correction of scoliosis" and "Retraction of the eyelid" are not notices, so a bare word
 * counts only alone, before a colon, or before "to".
 */
const BY_TITLE: readonly [title: RegExp, type: NoticeType][] = [
  [
    /^(?:notice of |statement of |editorial )?retraction(?: (?:note|notice|statement))?(?:\s+to\b.*|\s*[:.[].*|\s*)$/i,
    'retraction',
  ],
  [/^(?:notice|statement|note) of retraction\b/i, 'retraction'],
  [new RegExp(`^retraction (?:note|notice|statement)${OF}`, 'i'), 'retraction'],
  [
    /^(?:withdrawal notice|notice of withdrawal|statement of withdrawal|withdrawal statement)\b/i,
    'withdrawal',
  ],
  [
    /^(?:editorial )?(?:expression|note|statement) of concern(?:\s*[:.[].*|\s+(?:on|for|regarding|about)\b.*|\s*)$/i,
    'expression_of_concern',
  ],
  [
    /^(?:author|publisher|editorial|editor['’]s)? ?(?:correction|corrections|corrigendum|corrigenda|addendum)(?:\s+to\b.*|\s*[:.[].*|\s*)$/i,
    'correction',
  ],
  [
    new RegExp(`^(?:erratum|errata|corrigendum|corrigenda|correction notice|notice of correction)${OF}`, 'i'),
    'correction',
  ],
  [/^department of error\.?$/i, 'correction'],
]

/** The notice type in a title, and the title that it is about if it names one. */
export function noticeInTitle(title: string): { type: NoticeType; about: string | null } | null {
  const found = BY_TITLE.find(([pattern]) => pattern.test(title))
  if (!found) return null
  const named =
    /^[^:"“‘'[]{3,60}?(?:\s+(?:to|for|on)\b\s*:?|:)\s*(?:["“‘'[]+(.+?)["”’'\]]|(.+)$)/u.exec(title) ?? []
  const about = (named[1] ?? named[2] ?? '').trim()
  return { type: found[1], about: about.length > 15 ? about : null }
}

/** "[This corrects the article DOI: 10.…]" appears in place of an abstract. */
export function noticeInAbstract(abstract: string): { type: NoticeType; about: Target } | null {
  const found =
    /^\W*this (corrects|retracts|updates) (?:the )?article\b[^\d]{0,20}(10\.\d{4,9}\/[^\s\]]+|pmid:? ?\d+)?/i.exec(
      abstract,
    )
  if (!found || abstract.length > 400) return null
  const type = found[1]?.toLowerCase() === 'retracts' ? 'retraction' : 'correction'
  return {
    type,
    about: { doi: doiOf(found[2]?.replace(/[.\]]+$/, '') ?? null), pmid: pmidOf(found[2] ?? null) },
  }
}

/** "RETRACTED: …", "WITHDRAWN: …", "… [Retracted]", "… (Retracted article)": marks on the paper itself. */
export function markInTitle(title: string): 'retraction' | 'withdrawal' | null {
  const front =
    /^[[(]?\s*(?:(retracted)(?: (?:article|paper|chapter|publication))?|(withdrawn|(?:temporary )?removed|removal notice))\s*[\])]?\s*(?:[:\-–—]|(?<=[\])])|\.(?=\s))/iu.exec(
      title,
    )
  if (front) return front[1] ? 'retraction' : 'withdrawal'
  const back =
    /[[(]\s*(?:this (?:article|paper) (?:was|has been|is) )?(?:(retracted)|(withdrawn))(?: (?:article|paper|publication))?(?:\s*[.,:;–—-][^\])]{0,200})?\s*[\])]\.?$/iu.exec(
      title,
    )
  if (back) return back[1] ? 'retraction' : 'withdrawal'
  return null
}

export function takesBack(type: NoticeType): boolean {
  return type === 'retraction' || type === 'withdrawal'
}
