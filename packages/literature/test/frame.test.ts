/** The single steps of the review: words, framing, matching, order. */
import t from 'tap'
import { frame } from '../frame.ts'
import { hits, matches } from '../match.ts'
import type { Paper } from '../paper.ts'
import { rank } from '../rank.ts'
import { hasPhrase, phraseText, words } from '../text.ts'
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

t.test('words are compared without case, accents, plurals and spelling', async (t) => {
  t.strictSame(words('Glycaemic Studies, Statins'), words('glycemic study; statin'))
  t.strictSame(words('presión ARTERIAL'), ['presion', 'arterial'])
  t.strictSame(
    words('analysis stress virus'),
    ['analysis', 'stress', 'virus'],
    'what only looks like a plural stays',
  )
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
    ['exercise', 'topic'],
    ['depression', 'outcome'],
    ['adolescents', 'population'],
  ])
  t.strictSame(roles('telemedicine versus clinic visits for diabetes'), [
    ['telemedicine', 'topic'],
    ['clinic visits', 'comparator'],
    ['diabetes', 'outcome'],
  ])
  t.strictSame(frame('Paediatric asthma, and ASTHMA again').concepts.at(0)?.terms, ['paediatric', 'asthma'])
  t.strictSame(roles('Is it the most effective one, and why?'), [])
  t.strictSame(frame('  two \n words ').question, 'two words')
})

t.test('what must occur: most words of an unknown phrase, never weak words or comparators', async (t) => {
  const [gut] = frame('the role of gut microbiome diversity').concepts
  t.match(gut, { terms: ['gut', 'microbiome', 'diversity'], needs: 2, required: true })
  const required = (question: string) => frame(question).concepts.map((concept) => concept.required)
  t.strictSame(required('statins versus ezetimibe in older adults'), [true, false, false])
  t.strictSame(required('older adults'), [true], 'unless there is nothing else')
})

t.test('a record matches by its leading concept and one more', async (t) => {
  const query = frame('Do statins prevent dementia in nursing homes?')
  t.ok(matches(query, paper({ title: 'Atorvastatin and cognitive decline' })), 'by synonyms')
  t.ok(matches(query, paper({ title: 'Statins', abstract: 'Residents of nursing homes took part.' })))
  t.notOk(matches(query, paper({ title: 'Statins and muscle pain' })))
  t.notOk(matches(query, paper({ title: 'Dementia in nursing homes' })))
  const found = hits(query, paper({ title: 'Statin use', abstract: 'Dementia and a statin.' }))
  t.match(found, [
    { concept: 'statins', title: ['statin'], abstract: ['statin'] },
    { concept: 'dementia', title: [], abstract: ['dementia'] },
  ])
})

t.test('order: the title counts double, ties end by id', async (t) => {
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
