/** The name of each work type in the three formats. */
import type { Paper, WorkType } from '../paper.ts'

interface Form {
  csl: string
  bibtex: string
  ris: string
  /** The BibTeX fields for the containing work and for the publisher. */
  container?: string
  publisher?: string
}

const FORMS: Readonly<Record<WorkType, Form>> = {
  article: {
    csl: 'article-journal',
    bibtex: 'article',
    ris: 'JOUR',
    container: 'journal',
    publisher: 'publisher',
  },
  // BibTeX and RIS have no preprints. Reference managers use these types, with the server as publisher.
  preprint: { csl: 'article', bibtex: 'misc', ris: 'UNPB' },
  book: { csl: 'book', bibtex: 'book', ris: 'BOOK', container: 'series', publisher: 'publisher' },
  chapter: {
    csl: 'chapter',
    bibtex: 'incollection',
    ris: 'CHAP',
    container: 'booktitle',
    publisher: 'publisher',
  },
  thesis: { csl: 'thesis', bibtex: 'phdthesis', ris: 'THES', publisher: 'school' },
  conference_paper: {
    csl: 'paper-conference',
    bibtex: 'inproceedings',
    ris: 'CONF',
    container: 'booktitle',
    publisher: 'publisher',
  },
  proceedings: {
    csl: 'book',
    bibtex: 'proceedings',
    ris: 'CONF',
    container: 'series',
    publisher: 'publisher',
  },
  report: { csl: 'report', bibtex: 'techreport', ris: 'RPRT', publisher: 'institution' },
  dataset: { csl: 'dataset', bibtex: 'dataset', ris: 'DATA', publisher: 'publisher' },
  other: { csl: 'document', bibtex: 'misc', ris: 'GEN', publisher: 'publisher' },
}

/** Treats an unknown type as an article, because nearly all works are. */
function workTypeOf({ work_type, preprint }: Paper): WorkType {
  return preprint ? 'preprint' : (work_type ?? 'article')
}

export function formOf(paper: Paper): Form {
  return FORMS[workTypeOf(paper)]
}

/** Container and publisher. A work without a container has its venue as publisher. */
export function placeOf(paper: Paper): { container: string | null; publisher: string | null } {
  const { journal, publisher } = paper
  const type = workTypeOf(paper)
  if (type === 'preprint') return { container: null, publisher: journal ?? publisher }
  return formOf(paper).container || type === 'other'
    ? { container: journal, publisher }
    : { container: null, publisher: publisher ?? journal }
}
