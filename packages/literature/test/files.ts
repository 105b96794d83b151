/** The files of a literature review, in the order in which the result lists them. */
export const FILES = [
  'literature_review.json',
  'references.csl.json',
  'references.bib',
  'references.ris',
  'uncertain.csl.json',
  'uncertain.bib',
  'uncertain.ris',
  'excluded.csl.json',
  'excluded.bib',
  'excluded.ris',
  'prisma.json',
  'prisma.svg',
  'search_log.json',
]
