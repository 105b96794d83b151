/** Records in the format of each source. */
import type { Entry } from './imitation-library.ts'

export function europePmcPage(entries: readonly Entry[], parameters: URLSearchParams) {
  const { items, next } = page(
    entries,
    parameters.get('cursorMark') ?? '*',
    Number(parameters.get('pageSize')),
  )
  return {
    version: '6.9',
    hitCount: entries.length,
    ...(next && { nextCursorMark: next }),
    request: {
      queryString: parameters.get('query'),
      resultType: 'core',
      cursorMark: parameters.get('cursorMark'),
    },
    resultList: { result: items.map(europePmcHit) },
  }
}

function europePmcHit(entry: Entry) {
  const { pmid, pmcid, doi, title, authors, group, year, journal, types, cited } = entry
  return {
    id: pmid ?? `PPR${year}`,
    source: entry.preprint ? 'PPR' : 'MED',
    ...(pmid && { pmid }),
    ...(pmcid && { pmcid }),
    ...(doi && { doi: doi.toUpperCase() }),
    title: `${title}.`,
    authorString: `${authors.map(([family, given]) => `${family} ${given[0]}`).join(', ')}.`,
    authorList: {
      author: [
        ...authors.map(([family, given]) => ({
          fullName: `${family} ${given[0]}`,
          firstName: given,
          lastName: family,
          initials: given[0],
        })),
        ...(group ? [{ collectiveName: group }] : []),
      ],
    },
    ...(!entry.preprint && {
      journalInfo: {
        issue: '2',
        volume: '12',
        dateOfPublication: `${year} Mar`,
        yearOfPublication: year,
        journal: { title: journal, issn: '0000-0000' },
      },
    }),
    pubYear: String(year),
    pageInfo: '101-109',
    ...(entry.abstract && {
      abstractText: entry.abstract
        .map(([label, text]) => (label ? `<h4>${capitalised(label)}</h4>${text}` : text))
        .join(' '),
    }),
    language: { en: 'eng', ja: 'jpn' }[entry.language],
    pubTypeList: { pubType: types },
    isOpenAccess: pmcid ? 'Y' : 'N',
    citedByCount: cited,
  }
}

export function openAlexPage(entries: readonly Entry[], parameters: URLSearchParams) {
  const { items, next } = page(entries, parameters.get('cursor') ?? '*', Number(parameters.get('per_page')))
  return {
    meta: {
      count: entries.length,
      db_response_time_ms: 5,
      page: null,
      per_page: Number(parameters.get('per_page')),
      next_cursor: next,
    },
    results: items.map(openAlexWork),
    group_by: [],
  }
}

function openAlexWork(entry: Entry) {
  const { pmid, doi, title, authors, year, journal, cited } = entry
  const plain = title.replace(/<[^>]*>/g, '').replace('&amp;', '&')
  return {
    id: `https://openalex.org/W${1_000_000 + (pmid ? Number(pmid) % 1000 : 999)}`,
    doi: doi && `https://doi.org/${doi}`,
    title: plain,
    display_name: plain,
    publication_year: year,
    publication_date: `${year}-03-01`,
    ids: {
      openalex: 'https://openalex.org/W1',
      ...(doi && { doi: `https://doi.org/${doi}` }),
      ...(pmid && { pmid: `https://pubmed.ncbi.nlm.nih.gov/${pmid}` }),
    },
    language: entry.language,
    primary_location: { source: { display_name: journal, type: 'journal' } },
    type: entry.preprint ? 'preprint' : 'article',
    authorships: authors.map(([family, given], at) => ({
      author_position: at === 0 ? 'first' : 'last',
      author: { id: `https://openalex.org/A${at}`, display_name: `${given} ${family}` },
    })),
    cited_by_count: cited + 3,
    is_retracted: entry.retracted === true,
    biblio: { volume: '12', issue: '2', first_page: '101', last_page: '109' },
    abstract_inverted_index: inverted(entry.abstract),
  }
}

function inverted(abstract: Entry['abstract']): Record<string, number[]> | null {
  if (!abstract) return null
  const index: Record<string, number[]> = {}
  const words = abstract.flatMap(([label, text]) => `${label} ${text}`.trim().split(/\s+/))
  for (const [at, word] of words.entries()) index[word] = [...(index[word] ?? []), at]
  // In no particular order, like the real source.
  return Object.fromEntries(Object.entries(index).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function pubmedIds(entries: readonly Entry[], parameters: URLSearchParams) {
  const ids = entries.flatMap(({ pmid }) => pmid ?? [])
  const idlist = ids.slice(0, Number(parameters.get('retmax')))
  return {
    header: { type: 'esearch', version: '0.3' },
    esearchresult: {
      count: String(ids.length),
      retmax: String(idlist.length),
      retstart: '0',
      idlist,
      querytranslation: parameters.get('term'),
    },
  }
}

export function pubmedArticles(entries: readonly Entry[], parameters: URLSearchParams): string {
  const ids = (parameters.get('id') ?? '').split(',')
  // The real source answers in its own order.
  const articles = entries.filter(({ pmid }) => pmid !== null && ids.includes(pmid)).reverse()
  return `<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>
${articles.map(pubmedArticle).join('\n')}
</PubmedArticleSet>`
}

function pubmedArticle(entry: Entry): string {
  const { pmid, pmcid, doi, title, authors, group, year, journal, types, language } = entry
  const abstract = entry.abstract?.map(([label, text]) => {
    const escaped = text.replaceAll('<', '&lt;')
    return label
      ? `<AbstractText Label="${label}" NlmCategory="${label}">${escaped}</AbstractText>`
      : `<AbstractText>${escaped}</AbstractText>`
  })
  return `<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">${pmid}</PMID>
<Article PubModel="Print"><Journal><ISSN IssnType="Print">0000-0000</ISSN><JournalIssue CitedMedium="Print"><Volume>12</Volume><Issue>2</Issue>
<PubDate><MedlineDate>${year} Nov-${year + 1} Jan</MedlineDate></PubDate></JournalIssue><Title>${journal}</Title></Journal>
<ArticleTitle>${language === 'en' ? `${title}.` : `[${title}].`}</ArticleTitle><Pagination><MedlinePgn>101-9</MedlinePgn></Pagination>
<ELocationID EIdType="doi" ValidYN="Y">${doi}</ELocationID>
${abstract ? `<Abstract>${abstract.join('')}<CopyrightInformation>None</CopyrightInformation></Abstract>` : ''}
<AuthorList CompleteYN="Y">${authors.map(([family, given]) => `<Author ValidYN="Y"><LastName>${family}</LastName><ForeName>${given}</ForeName><Initials>${given[0]}</Initials></Author>`).join('')}
${group ? `<Author ValidYN="Y"><CollectiveName>${group}</CollectiveName></Author>` : ''}</AuthorList>
<Language>${{ en: 'eng', ja: 'jpn' }[language]}</Language>
<PublicationTypeList>${types.map((type) => `<PublicationType UI="D016428">${type}</PublicationType>`).join('')}</PublicationTypeList></Article></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pubmed">${pmid}</ArticleId><ArticleId IdType="doi">${doi}</ArticleId>${pmcid ? `<ArticleId IdType="pmc">${pmcid}</ArticleId>` : ''}</ArticleIdList></PubmedData></PubmedArticle>`
}

export function crossrefPage(entries: readonly Entry[], parameters: URLSearchParams) {
  const wanted = (parameters.get('filter') ?? '').split(',').map((part) => part.replace(/^doi:/, ''))
  const items = entries.filter(({ doi }) => doi !== null && wanted.includes(doi)).map(crossrefWork)
  return {
    status: 'ok',
    'message-type': 'work-list',
    'message-version': '1.0.0',
    message: { 'total-results': items.length, items, 'items-per-page': 20 },
  }
}

function crossrefWork({ doi, title, authors, year, journal, cited, preprint, retracted, pmid }: Entry) {
  return {
    DOI: doi,
    type: preprint ? 'posted-content' : 'journal-article',
    ...(preprint && { subtype: 'preprint' }),
    title: [title],
    author: authors.map(([family, given], at) => ({
      given,
      family,
      sequence: at === 0 ? 'first' : 'additional',
      affiliation: [],
    })),
    issued: { 'date-parts': [[year, 3]] },
    'container-title': preprint ? [] : [journal],
    volume: '12',
    issue: '2',
    page: '101-109',
    'is-referenced-by-count': cited - 1,
    language: 'en',
    ...(retracted && { 'updated-by': [{ DOI: '10.5555/notice', type: 'retraction', label: 'Retraction' }] }),
    ...(pmid === '90000003' && {
      abstract:
        '<jats:sec><jats:title>Results</jats:title><jats:p>Endothelial function improved with a fasting regimen in 30 patients.</jats:p></jats:sec>',
    }),
  }
}

function page<T>(
  all: readonly T[],
  cursor: string,
  size: number,
): { items: readonly T[]; next: string | null } {
  const from = cursor === '*' ? 0 : Number(cursor.slice(1))
  const items = all.slice(from, from + size)
  return { items, next: items.length === 0 ? null : `c${from + items.length}` }
}

function capitalised(word: string): string {
  return word[0] + word.slice(1).toLowerCase()
}
