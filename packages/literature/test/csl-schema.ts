/** The rules of the CSL-JSON schema (https://github.com/citation-style-language/schema), told in our own words. */
const list = (text: string) => text.trim().split(/\s+/)

const TYPES =
  list(`article article-journal article-magazine article-newspaper bill book broadcast chapter classic
  collection dataset document entry entry-dictionary entry-encyclopedia figure graphic hearing interview legal_case
  legislation manuscript map motion_picture musical_score pamphlet paper-conference patent performance periodical
  personal_communication post post-weblog regulation report review review-book software song speech standard thesis
  treaty webpage`)
const NAMES =
  list(`author chair collection-editor compiler composer container-author contributor curator director
  editor editorial-director executive-producer interviewer illustrator organizer original-author performer producer
  recipient reviewed-author translator`)
const DATES = list('accessed available-date container event-date issued original-date submitted')
const TEXTS =
  list(`language journalAbbreviation shortTitle abstract annote archive archive_collection archive_location
  archive-place authority call-number citation-label collection-title container-title container-title-short dimensions
  division DOI event event-place genre ISAN ISBN ISCI ISMN ISRC ISSN ISWC jurisdiction keyword medium note
  original-publisher original-publisher-place original-title part-title PMCID PMID publisher publisher-place references
  reviewed-title scale section source status title title-short translated-title translated-title-short URL version
  year-suffix`)
const NUMBERS =
  list(`chapter-number citation-number collection-number edition first-reference-note-number issue locator
  number number-of-pages number-of-volumes page page-first part printing supplement volume`)

const each = (names: string[], schema: object) => Object.fromEntries(names.map((name) => [name, schema]))
const text = { type: 'string' }
const number = { type: ['string', 'number'] }
const flag = { type: ['string', 'number', 'boolean'] }

const name = {
  type: 'object',
  properties: {
    ...each(list('family given dropping-particle non-dropping-particle suffix literal'), text),
    ...each(list('comma-suffix static-ordering parse-names'), flag),
  },
  additionalProperties: false,
}
const date = {
  type: 'object',
  properties: {
    'date-parts': {
      type: 'array',
      minItems: 1,
      maxItems: 2,
      items: { type: 'array', minItems: 1, maxItems: 3, items: number },
    },
    season: number,
    circa: flag,
    ...each(list('literal raw edtf'), text),
  },
  additionalProperties: false,
}

export const CSL_SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    required: ['type', 'id'],
    additionalProperties: false,
    properties: {
      type: { enum: TYPES },
      id: number,
      categories: { type: 'array', items: text },
      custom: { type: 'object' },
      ...each(NAMES, { type: 'array', items: name }),
      ...each(DATES, date),
      ...each(TEXTS, text),
      ...each(NUMBERS, number),
    },
  },
}
