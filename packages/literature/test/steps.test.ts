/** Single steps of the review: normalising, linking, screening, extracting, summarising. */
import t from 'tap'
import type { LiteratureInputs } from '../../../contract/literature.ts'
import { deduplicate } from '../deduplicate.ts'
import { extract } from '../extract.ts'
import { frame } from '../frame.ts'
import { doiOf, pmcidOf, pmidOf } from '../identifiers.ts'
import { plainLine, plainText } from '../markup.ts'
import type { SourceRecord } from '../paper.ts'
import { screen } from '../screen.ts'
import type { Search } from '../search.ts'
import { sentences } from '../sentences.ts'
import { bibliographicCode, languageCode } from '../sources/languages.ts'
import { summarise } from '../summarise.ts'
import { paperOf } from './records.ts'
import { QUESTION } from './service-client.ts'

t.test('identifiers have one spelling', async (t) => {
  for (const doi of [
    '10.5555/AbC',
    'https://doi.org/10.5555/abc',
    'http://dx.doi.org/10.5555/ABC',
    'doi: 10.5555/abc',
    'DOI:10.5555/abc',
  ]) {
    t.equal(doiOf(doi), '10.5555/abc')
  }
  for (const none of [null, '', 'n/a', '10.5/x', 'https://example.org']) t.equal(doiOf(none), null)
  t.strictSame(['7', 'PMID: 7', '007', 'x', null].map(pmidOf), ['7', '7', '7', null, null])
  t.strictSame(['PMC7', 'pmcid: PMC7', '7', 'x', null].map(pmcidOf), ['PMC7', 'PMC7', 'PMC7', null, null])
  t.strictSame(['eng', 'ger', 'deu', 'en-GB', 'zh', 'und', '??', null].map(languageCode), [
    'en',
    'de',
    'de',
    'en',
    'zh',
    null,
    null,
    null,
  ])
  t.strictSame(['de', 'ja', 'xx'].map(bibliographicCode), ['ger', 'jpn', undefined])
})

t.test('markup becomes text', async (t) => {
  t.equal(
    plainText('<h4>Results</h4>It fell. <h4>Conclusion:</h4> Good.'),
    'Results: It fell.\nConclusion: Good.',
  )
  t.equal(
    plainText('<jats:title>Abstract</jats:title><jats:p>One <jats:italic>two</jats:italic>.</jats:p>'),
    'One two.',
  )
  t.equal(
    plainText('<b>Methods:</b> We saw <b>much</b>. <b>Results:</b> None.'),
    'Methods: We saw much.\nResults: None.',
  )
  t.equal(
    plainText('p < 0.05 and x <y> &lt;z&gt; &amp;lt; &#956; &#xb5; &ndash;'),
    'p < 0.05 and x <y> <z> < μ µ –',
  )
  t.equal(plainLine('CO<sub>2</sub>\n &amp; <i>E. coli</i>'), 'CO2 & E. coli')
  t.equal(
    plainLine('m&lt;sup&gt;6&lt;/sup&gt;A &amp;lt;i&amp;gt;in vivo&amp;lt;/i&amp;gt;'),
    'm6A in vivo',
    'escaped tags',
  )
  t.equal(
    plainText(
      '<jats:p>&lt;p&gt;One &lt;em&gt;two&lt;/em&gt;.&lt;/p&gt;&lt;p align="center"&gt;Three&lt;/p&gt;</jats:p>',
    ),
    'One two.\nThree',
  )
  t.equal(
    plainLine('a<b and c>d, n<30; the mean <S> of <3 years'),
    'a<b and c>d, n<30; the mean <S> of <3 years',
  )
  t.equal(plainLine('&eacute;&thinsp;<mml:mi>x</mml:mi><tex-math>$x$</tex-math>'), 'é x')
  t.equal(
    plainText('&#0; &#xd800; &unknown;'),
    '&#0; &#xd800; &unknown;',
    'a reference to something that is not a character stays',
  )
  t.equal(paperOf({ abstract: 'No abstract available.' }).abstract, null)
  t.equal(paperOf({ title: 'RETRACTED: Fasting' }).retracted, true)
})

t.test('which records are linked as one paper', async (t) => {
  const links = (...records: Partial<SourceRecord>[]) =>
    deduplicate(records.map((one, at) => paperOf({ raw_id: `r${at}`, ...one })))
  const one = (...records: Partial<SourceRecord>[]) => links(...records).papers.length === 1
  t.ok(
    one({ doi: '10.5555/A', title: 'x' }, { doi: 'https://doi.org/10.5555/a', title: 'y', authors: [] }),
    'DOI',
  )
  t.ok(one({ pmid: '7', title: 'x' }, { pmid: '7', title: 'y' }), 'PMID')
  t.ok(one({ pmcid: 'PMC7', title: 'x' }, { pmcid: '7', title: 'y' }), 'PMCID')
  t.ok(
    one({ title: 'Fasting & Zürich, again' }, { title: 'fasting: zurich again?', year: 2021 }),
    'title, year within one, surname',
  )
  t.ok(
    one(
      { title: 'Intermittent fasting and blood presure in adults' },
      { title: 'Intermittent fasting and blood pressure in adults' },
    ),
    'a misprint',
  )
  t.ok(one({ doi: '10.5555/a' }, { pmid: '7' }, { doi: '10.5555/a', pmid: '7' }), 'linked by a third one')
  t.notOk(one({}, { year: 2022 }), 'two years apart')
  t.notOk(one({}, { year: null }), 'an unknown year proves nothing')
  t.notOk(one({}, { authors: [{ family: 'Other', given: null }] }), 'another first author')
  t.notOk(one({ authors: [] }, { authors: [] }), 'two records without authors have no author in common')
  t.notOk(one({ doi: '10.5555/a' }, { doi: '10.5555/b' }), 'different DOIs')
  t.notOk(
    one(
      { title: 'Fasting and blood pressure in adults, part 1' },
      { title: 'Fasting and blood pressure in adults, part 2' },
    ),
    'another part',
  )
  t.notOk(one({ title: 'Fasting in men' }, { title: 'Fasting in women with diabetes' }))
  const chain = links({ doi: '10.5555/a' }, {}, { doi: '10.5555/b' })
  t.equal(chain.papers.length, 2, 'one without a DOI does not glue two with different ones together')
  t.equal(chain.duplicates, 1)
})

t.test('related, not duplicates', async (t) => {
  const preprint = { raw_id: 'a', doi: '10.1101/2020.01.01.1', preprint: true }
  for (const article of [{ raw_id: 'b', doi: '10.5555/b' }, { raw_id: 'b' }]) {
    const { papers, duplicates } = deduplicate([paperOf(preprint), paperOf(article)])
    t.equal(duplicates, 0)
    const relations = papers.map((paper) => [paper.preprint, paper.related.map(({ relation }) => relation)])
    t.strictSame(relations.sort(), [
      [false, ['preprint']],
      [true, ['article']],
    ])
    t.ok(
      papers.every(({ related }) => papers.some(({ id }) => id === related[0]?.id)),
      'each names the other',
    )
  }
  const told = [{ source: 'europepmc', raw_id: 'a', related: ['b', 'unknown'] }]
  const { papers } = deduplicate(
    [paperOf({ raw_id: 'a', title: 'x' }), paperOf({ raw_id: 'b', title: 'y' })],
    told,
  )
  t.strictSame(
    papers.map(({ related }) => related.map(({ relation }) => relation)),
    [['version'], ['version']],
  )
})

t.test('a linked paper takes each field from the best source that has it', async (t) => {
  const { papers } = deduplicate([
    paperOf(
      {
        source: 'openalex',
        raw_id: 'W1',
        doi: '10.5555/a',
        title: 'Alex',
        abstract: 'From Alex.',
        cited_by: 9,
        publication_types: ['article'],
      },
      4,
    ),
    paperOf(
      {
        source: 'pubmed',
        raw_id: '7',
        doi: '10.5555/a',
        pmid: '7',
        title: 'Med',
        cited_by: null,
        publication_types: ['Review'],
      },
      2,
    ),
  ])
  t.match(papers, [
    {
      id: 'doi:10.5555/a',
      source: 'pubmed',
      title: 'Med',
      abstract: 'From Alex.',
      cited_by: 9,
      publication_types: ['Review', 'article'],
      field_sources: { title: 'pubmed', abstract: 'openalex', cited_by: 'openalex', pmid: 'pubmed' },
      records: [
        { source: 'openalex', id: 'W1', place: 4 },
        { source: 'pubmed', id: '7', place: 2 },
      ],
    },
  ])
  t.notOk('journal' in (papers[0]?.field_sources ?? {}), 'a field that no source has names no source')
})

const query = frame(QUESTION)
const ON_TOPIC = 'Intermittent fasting lowered blood pressure in 80 adults.'

t.test('screening: included, excluded or uncertain, with rule and reason', async (t) => {
  const judge = (change: Partial<SourceRecord>, inputs: LiteratureInputs = {}) => {
    const [screened] = screen([paperOf({ abstract: ON_TOPIC, language: 'en', ...change })], query, inputs)
    t.ok(screened?.screening.reason)
    return `${screened?.screening.decision} ${screened?.screening.rule}`
  }
  t.equal(judge({}), 'included all')
  t.equal(judge({ abstract: null }), 'uncertain no_abstract')
  t.equal(judge({ abstract: null }, { require_abstract: true }), 'excluded no_abstract')
  t.equal(
    judge({ retracted: true, abstract: null }),
    'excluded retracted',
    'what speaks against it comes before doubt',
  )
  t.equal(judge({ title: 'Cars', abstract: 'Of wheels and engines.' }), 'excluded other_topic')
  t.equal(judge({ title: 'Autos', abstract: 'Von Rädern.', language: 'de' }), 'uncertain other_language_text')
  t.equal(judge({ title: '断食', abstract: '成人。', language: null }), 'uncertain other_language_text')
  t.equal(judge({ year: null }, { year_from: 2000 }), 'uncertain year_unknown')
  t.equal(judge({ year: 1999 }, { year_from: 2000 }), 'excluded before_year_from')
  t.equal(judge({ year: 2001 }, { year_to: 2000 }), 'excluded after_year_to')
  t.equal(judge({ language: null }, { language: 'en' }), 'uncertain language_unknown')
  t.equal(judge({ language: 'de' }, { language: 'en' }), 'excluded other_language')
  t.equal(judge({}, { study_types: ['cohort'] }), 'uncertain study_type_unknown')
  t.equal(judge({ publication_types: ['Review'] }, { study_types: ['cohort'] }), 'excluded other_study_type')
  t.equal(
    judge({ publication_types: ['Review'], abstract: `A cohort. ${ON_TOPIC}` }, { study_types: ['review'] }),
    'included all',
    'stated types come before words',
  )
  t.equal(judge({}, { include_keywords: ['stroke'] }), 'excluded no_include_keyword')
  t.equal(judge({ abstract: null }, { include_keywords: ['stroke'] }), 'uncertain no_abstract')
  t.equal(judge({}, { exclude_keywords: ['ADULT'] }), 'excluded exclude_keyword')
})

t.test('sentences have offsets and sections', async (t) => {
  const abstract =
    'BACKGROUND: Dr. Smith et al. asked, e.g. in vivo. It is 5.1 mm.\nRESULTS: A fell (p < 0.05). “B rose.”'
  const found = sentences(abstract)
  t.strictSame(
    found.map(({ text, label }) => [label, text]),
    [
      ['BACKGROUND', 'Dr. Smith et al. asked, e.g. in vivo.'],
      ['BACKGROUND', 'It is 5.1 mm.'],
      ['RESULTS', 'A fell (p < 0.05).'],
      ['RESULTS', '“B rose.”'],
    ],
  )
  for (const { text, start, end } of found) t.equal(abstract.slice(start, end), text)
  t.strictSame(sentences(''), [])
})

t.test('extracted facts and how they were identified', async (t) => {
  const labelled = extract(
    paperOf({
      abstract:
        '<h4>Methods</h4>We enrolled 1,316 patients.<h4>Results</h4>It fell. It did not rise.<h4>Conclusions</h4>We found it works.',
    }),
  )
  t.match(labelled.sample_size, { value: 1316 })
  t.strictSame(
    labelled.results.map(({ text, by }) => [text, by]),
    [
      ['It fell.', 'label'],
      ['It did not rise.', 'label'],
    ],
  )
  t.strictSame(
    labelled.conclusions.map(({ text, by }) => [text, by]),
    [['We found it works.', 'label']],
  )
  const bare = extract(
    paperOf({
      abstract: 'Ninety-six participants fasted. Pressure fell by 5 mm Hg. These results suggest a benefit.',
    }),
  )
  t.match(bare, {
    sample_size: { value: 96, text: 'Ninety-six participants' },
    results: [{ by: 'words' }],
    conclusions: [{ by: 'words' }],
  })
  t.strictSame(extract(paperOf({})), {
    design: null,
    sample_size: null,
    results: [],
    conclusions: [],
  })
  const size = (abstract: string) => extract(paperOf({ abstract })).sample_size?.value
  t.equal(size('A total of 118 participants were randomly assigned.'), 118)
  t.equal(size('Results (n = 42) of 30% were seen in 2019.'), 42)
  t.equal(size('We followed 31,204 adults for 9.7 years.'), 31_204)
  t.equal(size('In 2019, 12 weeks of 5.1 mg were given to the patients.'), undefined)
})

t.test('a phrase that names the same thing as a concept is not a second theme', async (t) => {
  const found = ['a', 'b'].map((id) => {
    const title = 'Myocardial infarction and sleep deprivation in night workers'
    const paper = paperOf({ doi: `10.5555/${id}`, title, abstract: ON_TOPIC })
    return { paper, extraction: extract(paper) }
  })
  const { themes } = summarise(frame('Does shift work cause heart attacks?'), found, 0, [])
  const labels = themes.map(({ label }) => label.toLowerCase())
  t.equal(labels.filter((label) => label === 'myocardial infarction').length, 1)
  t.ok(labels.includes('night workers') || labels.includes('sleep deprivation'), 'other phrases stay')
})

t.test('summary: themes with papers, gaps, limitations', async (t) => {
  const found = ['a', 'b'].map((id) => {
    const paper = paperOf({
      doi: `10.5555/${id}`,
      title: 'Intermittent fasting and arterial stiffness in shift workers',
      abstract: ON_TOPIC,
    })
    return { paper, extraction: extract(paper) }
  })
  const search = {
    source: 'europepmc',
    kind: 'searches',
    plan: null,
    total: 900,
    records: [],
    searched_at: null,
    failure: null,
  } satisfies Search
  const { themes, gaps, limitations } = summarise(
    frame('Does intermittent fasting lower blood pressure in nurses?'),
    found,
    3,
    [
      { ...search, records: [] },
      { ...search, source: 'pubmed', failure: { code: 'timeout', message: 'it took too long to answer' } },
    ],
  )
  t.notOk(
    themes.some(({ label }) => /fasting|blood|nurses/.test(label)),
    'no theme repeats the question',
  )
  t.ok(themes.some(({ label, kind }) => label === 'shift workers' && kind === 'phrase'))
  t.strictSame(
    gaps.map(({ gap }) => gap),
    ['concept_missing', 'no_randomised_trial', 'no_synthesis'],
  )
  t.match(gaps[0], {
    count: 0,
    of: 2,
    paper_ids: [],
    text: /None of the 2 included papers was found to mention nurses \(population\)/,
  })
  for (const said of [
    'Only titles and abstracts',
    'Europe PMC had 900 hits; the first 0',
    'PubMed failed: it took too long',
    '3 papers could not be judged',
  ]) {
    t.match(limitations.join('\n'), said)
  }
  t.match(summarise(query, [], 0, []).gaps, [{ gap: 'no_paper' }])
})
