/** Single records in the sources' formats: publication types, notices, dates, links, markup. */
import t from 'tap'
import { normalise } from '../normalise.ts'
import { emptyRecord, type Paper, type SourceRecord } from '../paper.ts'
import { toRecord as fromCrossref } from '../sources/crossref-record.ts'
import { authorsIn, toRecord as fromEuropePmc } from '../sources/europepmc-record.ts'
import { toRecord as fromOpenAlex } from '../sources/openalex-record.ts'
import { parseArticles } from '../sources/pubmed-xml.ts'

function paper(record: SourceRecord): Paper {
  const made = normalise(record, 1)
  if (!made) throw new Error('no paper')
  return made
}
const pubmed = (xml: string) =>
  parseArticles(`<?xml version="1.0"?><PubmedArticleSet>${xml}</PubmedArticleSet>`).map((article) =>
    paper({ ...emptyRecord('pubmed', article.pmid), ...article }),
  )
const article = (inside: string, behind = '') =>
  `<PubmedArticle><MedlineCitation><PMID Version="1">5</PMID><Article>
<Journal><JournalIssue><PubDate><Year>2014</Year><Month>Nov</Month></PubDate></JournalIssue><Title>Example</Title></Journal>
${inside}</Article>${behind}</MedlineCitation></PubmedArticle>`

t.test('PubMed: a book, and a chapter of one', async (t) => {
  const book = (title: string) => `<PubmedBookArticle><BookDocument><PMID>7</PMID>
<Book><Publisher><PublisherName>Example Press</PublisherName></Publisher><BookTitle book="x">Glands: An <i>Integrated</i> Approach</BookTitle>
<PubDate><Year>2001</Year></PubDate><AuthorList Type="editors"><Author><LastName>Edit</LastName></Author></AuthorList>
<AuthorList Type="authors"><Author><LastName>Okonjo</LastName><ForeName>Ada</ForeName><Suffix>Sr</Suffix></Author></AuthorList><Isbn>1-85996-252-1</Isbn></Book>
${title}<Language>eng</Language><Language>fre</Language><Abstract><AbstractText>Words.</AbstractText></Abstract></BookDocument></PubmedBookArticle>`
  const [whole, chapter] = [
    pubmed(book('')),
    pubmed(book('<ArticleTitle book="x" part="y">The thyroid</ArticleTitle>')),
  ].flat()
  t.match(whole, {
    title: 'Glands: An Integrated Approach',
    work_type: 'book',
    year: 2001,
    publisher: 'Example Press',
    isbn: ['1859962521'],
    languages: ['en', 'fr'],
    journal: null,
    authors: [{ family: 'Okonjo', given: 'Ada', suffix: 'Sr' }],
  })
  t.match(chapter, { title: 'The thyroid', work_type: 'chapter', journal: 'Glands: An Integrated Approach' })
})

t.test('PubMed: numbers of articles, months, headings, notices', async (t) => {
  const [one] = pubmed(
    article(
      '<ArticleTitle>One</ArticleTitle><ELocationID EIdType="pii" ValidYN="Y">e0239</ELocationID>',
      `<MeshHeadingList><MeshHeading><DescriptorName UI="D1">Case-Control Studies</DescriptorName></MeshHeading></MeshHeadingList>
       <CommentsCorrectionsList><CommentsCorrections RefType="ErratumIn"><RefSource>X</RefSource><PMID>9</PMID></CommentsCorrections></CommentsCorrectionsList>`,
    ),
  )
  t.match(one, {
    month: 11,
    article_number: 'e0239',
    mesh: ['Case-Control Studies'],
    notice: null,
    notices: [{ type: 'correction', pmid: '9', source: 'pubmed' }],
  })
  const [two] = pubmed(
    article(
      `<ArticleTitle>Two</ArticleTitle><Pagination><MedlinePgn>1-2</MedlinePgn></Pagination><ELocationID EIdType="pii" ValidYN="Y">S1879-4068(24)00075-4</ELocationID>
<PublicationTypeList><PublicationType>Published Erratum</PublicationType></PublicationTypeList>`,
      '<CommentsCorrectionsList><CommentsCorrections RefType="ErratumFor"><RefSource>Ex. 2024;1:2. doi: 10.5555/AbC.1.</RefSource><PMID>8</PMID></CommentsCorrections></CommentsCorrectionsList>',
    ),
  )
  t.match(two, {
    article_number: null,
    notice: { type: 'correction', about: [{ doi: '10.5555/abc.1', pmid: '8' }] },
  })
})

t.test('Europe PMC: short answers, preprints, links, notices', async (t) => {
  t.match(
    paper(
      fromEuropePmc({
        id: '1',
        source: 'MED',
        title: 'An m&lt;sup&gt;6&lt;/sup&gt;A-dependent way.',
        journalTitle: 'Ex J',
        journalVolume: '3',
        pubType: 'research-article; observational study',
      }),
    ),
    {
      title: 'An m6A-dependent way',
      journal: 'Ex J',
      volume: '3',
      publication_types: ['research-article', 'observational study'],
    },
  )
  t.match(
    paper(
      fromEuropePmc({
        id: 'PPR1',
        source: 'PPR',
        title: 'x',
        bookOrReportDetails: { publisher: 'medRxiv' },
        commentCorrectionList: { commentCorrection: [{ id: '4', source: 'MED', type: 'Preprint of' }] },
        fullTextUrlList: {
          fullTextUrl: [
            { availabilityCode: 'S', url: 'https://example.org/paid', documentStyle: 'html' },
            { availabilityCode: 'OA', url: 'https://example.org/open', documentStyle: 'pdf' },
            { availabilityCode: 'OA', url: 'javascript:alert(1)', documentStyle: 'html' },
          ],
        },
      }),
    ),
    {
      preprint: true,
      work_type: 'preprint',
      journal: 'medRxiv',
      open_access: [{ url: 'https://example.org/open', source: 'europepmc', format: 'pdf' }],
    },
  )
  t.equal(paper(fromEuropePmc({ id: '1', source: 'ETH', title: 'x' })).work_type, 'thesis')
  t.match(
    paper(
      fromEuropePmc({
        id: '2',
        source: 'MED',
        title: 'Department of Error.',
        pubTypeList: { pubType: ['Published Erratum'] },
        commentCorrectionList: {
          commentCorrection: [
            {
              id: '3',
              source: 'MED',
              type: 'Erratum for',
              reference: 'Ex. 2024;1:2-3. doi: 10.5555/S0140-6736(24)01-2.',
            },
          ],
        },
      }),
    ).notice,
    { type: 'correction', about: [{ doi: '10.5555/s0140-6736(24)01-2', pmid: '3' }] },
  )
  t.match(authorsIn('Okonjo A Jr, van der Berg T, The Group.'), [
    { family: 'Okonjo', given: 'A', suffix: 'Jr' },
    { family: 'van der Berg', given: 'T' },
    { literal: 'The Group' },
  ])
})

t.test('Crossref: subtitles, empty dates, updates, types', async (t) => {
  const work = (more: object) =>
    paper(fromCrossref({ DOI: '10.5555/x', type: 'journal-article', title: ['Main'], ...more }))
  t.equal(work({ subtitle: ['a study of parts'] }).title, 'Main: a study of parts')
  t.equal(
    work({ title: ['Main: a study of parts'], subtitle: ['A study of parts'] }).title,
    'Main: a study of parts',
  )
  t.match(
    work({
      issued: { 'date-parts': [[null]] },
      type: 'book-chapter',
      ISBN: ['http://id.crossref.org/isbn/9781590598160'],
    }),
    {
      year: null,
      work_type: 'chapter',
      isbn: ['9781590598160'],
    },
  )
  t.match(work({ issued: { 'date-parts': [[null]] }, 'published-print': { 'date-parts': [[2007, 9]] } }), {
    year: 2007,
    month: 9,
  })
  t.match(
    work({
      type: 'posted-content',
      subtype: 'preprint',
      institution: [{ name: 'medRxiv' }],
      publisher: 'CSHL',
    }),
    {
      preprint: true,
      work_type: 'preprint',
      journal: 'medRxiv',
    },
  )
  t.equal(
    work({ abstract: '<jats:p>&lt;p&gt;It &lt;em&gt;fell&lt;/em&gt;.&lt;/p&gt;</jats:p>' }).abstract,
    'It fell.',
  )
  for (const [type, as, retracted] of [
    ['retraction', 'retraction', true],
    ['partial_retraction', 'retraction', true],
    ['withdrawal', 'withdrawal', true],
    ['removal', 'withdrawal', true],
    ['expression_of_concern', 'expression_of_concern', false],
    ['corrigendum', 'correction', false],
    ['erratum', 'correction', false],
    ['addendum', 'correction', false],
    ['new_version', 'other_update', false],
  ] as const) {
    t.match(work({ 'updated-by': [{ DOI: '10.5555/N', type }] }), {
      retracted,
      notices: [{ type: as, doi: '10.5555/n', source: 'crossref' }],
      notice: null,
    })
  }
  t.match(work({ 'update-to': [{ DOI: '10.5555/Old', type: 'retraction' }] }).notice, {
    type: 'retraction',
    about: [{ doi: '10.5555/old' }],
  })
  t.equal(work({ 'update-to': [{ DOI: '10.5555/Old', type: 'new_version' }] }).notice, null)
})

t.test('OpenAlex: dissertations, conferences, links', async (t) => {
  const work = (more: object) =>
    paper(fromOpenAlex({ id: 'https://openalex.org/W1', title: 'x', type: 'article', ...more }))
  t.equal(work({ type: 'dissertation' }).work_type, 'thesis')
  t.equal(work({ type: 'book-chapter' }).work_type, 'chapter')
  t.equal(work({ primary_location: { source: { type: 'conference' } } }).work_type, 'conference_paper')
  t.match(work({ type: 'erratum' }).notice, { type: 'correction' })
  t.match(work({ publication_date: '2020-05-09' }), { month: 5 })
  t.match(work({ publication_date: '2020-01-01' }), { month: null })
  t.match(work({ authorships: [{ author: { display_name: 'John B. Smith Jr.' } }] }).authors, [
    { family: 'Smith', given: 'John B.', suffix: 'Jr' },
  ])
  const place = {
    is_oa: true,
    pdf_url: 'https://example.org/a.pdf',
    landing_page_url: 'https://example.org/a',
    license: 'cc-by',
  }
  t.match(work({ best_oa_location: place, open_access: { oa_url: 'https://example.org/a' } }).open_access, [
    { url: 'https://example.org/a.pdf', format: 'pdf', license: 'cc-by' },
    { url: 'https://example.org/a', format: 'page' },
  ])
  t.strictSame(work({ primary_location: { ...place, is_oa: false } }).open_access, [])
})

t.test('titles that reveal a notice', async (t) => {
  const of = (title: string) => paper({ ...emptyRecord('pubmed', '1'), title })
  for (const title of [
    'RETRACTED: Sleep',
    'Retracted article: Sleep',
    '[RETRACTED] Sleep',
    'Sleep [Retracted]',
    'Sleep (Retracted article. See vol. 3)',
    'WITHDRAWN: Sleep',
  ]) {
    t.match(of(title), { retracted: true, notice: null }, title)
  }
  for (const [title, type] of [
    ['Correction.', 'correction'],
    ['Correction: Sleep', 'correction'],
    ['Correction to: Sleep', 'correction'],
    ['Author Correction: Sleep', 'correction'],
    ['Corrigendum to "Sleep" [J. 1 (2020)]', 'correction'],
    ['Erratum', 'correction'],
    ['Department of Error.', 'correction'],
    ['Retraction Note: Sleep', 'retraction'],
    ['Statement of Retraction: Sleep', 'retraction'],
    ['Notice of withdrawal: Sleep', 'withdrawal'],
    ['Expression of Concern: Sleep', 'expression_of_concern'],
  ] as const) {
    t.match(of(title), { retracted: false, notice: { type } }, title)
  }
  for (const title of [
    'Correction of scoliosis',
    'Corrections in prisons: a review',
    'Retraction of the eyelid',
    'Withdrawal of benzodiazepines: a trial',
    'Retracted lids',
    'Eyelids (retracted lids)',
    'Error-related negativity',
  ]) {
    t.match(of(title), { retracted: false, notice: null }, title)
  }
  t.match(
    paper({
      ...emptyRecord('pubmed', '1'),
      title: 'Sleep',
      abstract: '[This corrects the article DOI: 10.5555/Old.1.].',
    }).notice,
    {
      type: 'correction',
      about: [{ doi: '10.5555/old.1' }],
    },
  )
})
