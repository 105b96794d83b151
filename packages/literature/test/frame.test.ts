/** Single steps of the review: words, framing, matching, order. */
import t from 'tap'
import { frame } from '../frame.ts'
import { hits } from '../match.ts'
import type { Paper } from '../paper.ts'
import { otherLanguage } from '../question/language.ts'
import { rank } from '../rank.ts'
import { hasPhrase, phraseText, words } from '../text.ts'
import { FUNCTION_WORDS } from '../vocabulary.ts'
import { paperOf } from './records.ts'

function paper(change: Partial<Paper>): Paper {
  const id = change.id ?? 'p-1'
  return {
    ...paperOf({ source: 'sample', raw_id: id, authors: [], language: 'en' }),
    id,
    field_sources: {},
    title: '',
    ...change,
  }
}

t.test('words are compared without case, accents, endings and spelling variants', async (t) => {
  t.strictSame(words('Glycaemic Studies, Statins'), words('glycemic study; statin'))
  t.strictSame(words('tumours randomised behavioural centre'), words('tumor randomized behavioral centers'))
  t.strictSame(words('presión'), words('PRESION'))
  t.strictSame(words('toxic placental'), words('toxicity PLACENTAL'))
  t.ok(hasPhrase(phraseText('Raised blood pressures in adults'), 'blood pressure'))
  t.notOk(hasPhrase(phraseText('restrained'), 'train'), 'whole words only')
  t.notOk(hasPhrase(phraseText('anything'), '--'))
})

t.test('a question becomes concepts with roles', async (t) => {
  const roles = (question: string) => frame(question).concepts.map(({ label, role }) => [label, role])
  t.strictSame(roles('What are the effects of intermittent fasting on cardiovascular health?'), [
    ['intermittent fasting', 'intervention'],
    ['cardiovascular health', 'outcome'],
  ])
  t.strictSame(roles('Does yoga compared with walking reduce depressive symptoms in adolescents?'), [
    ['yoga', 'topic'],
    ['walking', 'comparator'],
    ['depressive symptoms', 'outcome'],
    ['adolescents', 'population'],
  ])
  t.strictSame(roles('What predicts burnout among teachers in rural Kenya?').slice(0, 2), [
    ['burnout', 'topic'],
    ['teachers', 'population'],
  ])
  t.strictSame(roles('barriers to hand hygiene in nursing homes'), [
    ['barriers', 'outcome'],
    ['hand hygiene', 'topic'],
    ['nursing homes', 'setting'],
  ])
  t.strictSame(roles('Is it the most effective one, and why?'), [])
  t.strictSame(frame('  two \n words ').question, 'two words')
})

t.test('phrases, abbreviations, hyphens, numbers and names stay whole', async (t) => {
  const terms = (question: string) => frame(question).concepts.map((concept) => concept.terms)
  t.strictSame(terms('Does raising the carbon tax lower emissions?'), [['carbon tax'], ['emissions']])
  t.strictSame(
    terms('What causes solar radio bursts?'),
    [['solar radio bursts']],
    'whatever the tagger takes for a verb',
  )
  t.strictSame(terms('How do hydro dams affect fish migration in Norway?'), [
    ['hydro dams'],
    ['fish migration'],
    ['Norway'],
  ])
  t.strictSame(terms('Is CAR-T therapy effective in relapsed B-cell lymphoma?'), [
    ['CAR-T therapy'],
    ['relapsed B-cell lymphoma'],
  ])
  t.strictSame(terms('insulin for type 1 diabetes after COVID-19'), [
    ['insulin'],
    ['type 1 diabetes'],
    ['COVID-19'],
  ])
  t.strictSame(terms('measles vaccination in low- and middle-income countries').at(-1), [
    'low-income countries',
    'middle-income countries',
  ])
  t.strictSame(terms('Effect of the Long Depression on wages'), [['Long Depression'], ['wages']])
  t.strictSame(
    frame('Effect of the Long Depression on wages').concepts[0]?.synonyms,
    [],
    'a name is not an illness',
  )
  t.strictSame(terms('gastric or duodenal ulcers'), [['gastric ulcers', 'duodenal ulcers']])
  t.strictSame(terms('Does WHO guidance help US nurses?'), [['WHO guidance'], ['US nurses']])
  t.strictSame(terms('the placebo effect in chronic pain'), [['placebo effect'], ['chronic pain']])
})

t.test('lists are alternatives, pairs are not', async (t) => {
  const terms = (question: string) => frame(question).concepts.map((concept) => concept.terms)
  t.strictSame(terms('sleep and memory'), [['sleep'], ['memory']])
  t.strictSame(terms('the relationship between noise and sleep in children'), [
    ['noise'],
    ['sleep'],
    ['children'],
  ])
  t.strictSame(terms('mindfulness, yoga or tai chi for anxiety'), [
    ['mindfulness', 'yoga', 'tai chi'],
    ['anxiety'],
  ])
})

t.test('every content word is searched, or listed with the reason', async (t) => {
  for (const question of [
    'Does raising the carbon tax lower emissions in adults and patients?',
    'What is known about the role of gut flora in the treatment of infants?',
    'Do otters regulate urchin numbers along the coast?',
    'the crossing of amino acids through the gut wall',
  ]) {
    const { concepts, left_out } = frame(question)
    const told = new Set(
      [...concepts.flatMap(({ terms }) => terms), ...left_out.map(({ word }) => word)].flatMap(words),
    )
    const asked =
      question
        .toLowerCase()
        .match(/[a-z]+/g)
        ?.filter((word) => !FUNCTION_WORDS.has(word)) ?? []
    t.strictSame(
      asked.filter((word) => !words(word).every((stem) => told.has(stem))),
      [],
      question,
    )
    t.ok(left_out.every(({ reason }) => reason !== ''))
  }
})

t.test('function words reveal a question in another language', async (t) => {
  t.equal(otherLanguage('Welchen Einfluss hat Bewegung auf den Schlaf bei Kindern?'), 'German')
  t.equal(otherLanguage("Quels sont les effets de l'exercice sur le sommeil ?"), 'French')
  t.equal(otherLanguage('¿Cuál es el efecto del ejercicio en los niños?'), 'Spanish')
  t.equal(otherLanguage('Какво е влиянието на съня?'), 'a language in Cyrillic letters')
  t.equal(otherLanguage('睡眠と記憶の関係は?'), 'Chinese or Japanese')
  for (const english of [
    'cancer survival',
    'de novo mutations in van der Waals crystals of Los Angeles',
    'Does TNF-α predict El Niño de la Costa?',
    'in vitro and in vivo die casting',
  ]) {
    t.equal(otherLanguage(english), undefined, english)
  }
})

t.test('a record meets a concept by stems and synonyms, and its words may stand apart', async (t) => {
  const query = frame('Do statins prevent dementia in nursing homes?')
  const found = hits(
    query,
    paper({ title: 'Statin use', abstract: 'Dementia and a statin; homes for nursing care.' }),
  )
  t.match(found, [
    { concept: 'statins', title: ['statins'], abstract: ['statins'] },
    { concept: 'dementia', title: [], abstract: ['dementia'] },
    { concept: 'nursing homes', title: [], abstract: ['nursing homes'] },
  ])
  t.strictSame(
    hits(query, paper({ title: 'Dementia, Alzheimer' })).map(({ title }) => title),
    [['dementia', 'Alzheimer']],
  )
  t.strictSame(
    hits(frame('renal failure'), paper({ title: 'Failure of a kidney' })).length,
    1,
    'forms of a word',
  )
})

t.test('order: the title counts twice, and ties are ordered by id', async (t) => {
  const query = frame('sleep and memory')
  const inTitle = paper({ id: 'b', title: 'Sleep and memory', abstract: 'Nothing else is here to be read.' })
  const inAbstract = paper({
    id: 'a',
    title: 'Nothing else is here',
    abstract: 'Sleep and memory to be read.',
  })
  t.strictSame(
    rank([inAbstract, inTitle], query).map((ranked) => ranked.paper.id),
    ['b', 'a'],
  )
  const twins = ['z', 'x', 'y'].map((id) => paper({ ...inTitle, id }))
  const order = rank(twins, query)
  t.strictSame(
    order.map((ranked) => ranked.paper.id),
    ['x', 'y', 'z'],
  )
  t.equal(new Set(order.map(({ ranking }) => ranking.score)).size, 1)
  const cited = rank([paper({ ...inTitle, id: 'x' }), paper({ ...inTitle, id: 'y', cited_by: 3 })], query)
  t.equal(cited.at(0)?.paper.id, 'y', 'citations break the tie')
  t.strictSame(rank([], query), [])
  t.match(rank([inTitle], frame('what?')), [{ ranking: { bm25: 0, parts: [{ by: 'sample', place: 1 }] } }])
  const fused = rank(
    [
      paper({
        ...inTitle,
        id: 'a',
        records: [
          { source: 'pubmed', id: '1', place: 3 },
          { source: 'openalex', id: 'W1', place: 5 },
          { source: 'openalex', id: 'W2', place: 2 },
        ],
      }),
    ],
    query,
  )
  t.match(fused, [
    {
      ranking: {
        parts: [
          { by: 'bm25', place: 1 },
          { by: 'openalex', place: 2 },
          { by: 'pubmed', place: 3 },
        ],
      },
    },
  ])
  t.equal(
    fused[0]?.ranking.score,
    Math.round((1 / 61 + 1 / 62 + 1 / 63) * 1e6) / 1e6,
    'the sum of 1 / (60 + place)',
  )
})
