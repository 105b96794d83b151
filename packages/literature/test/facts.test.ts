/** Facts about a paper: stated only if known, with the words that show them. */
import t from 'tap'
import { measureFacts, SETS } from '../bench/facts.ts'
import { extract } from '../extract.ts'
import { numberOf } from '../number-words.ts'
import type { SourceRecord } from '../paper.ts'
import { studyType } from '../study-type.ts'
import { paperOf } from './records.ts'

t.test('stated kinds of study and sample sizes are right', async (t) => {
  t.ok(SETS.tuning.length + SETS['held out'].length >= 120)
  t.ok(SETS['held out'].length >= 40)
  for (const { fact, set, stated, right, known, faults } of measureFacts()) {
    t.ok(right / stated >= 0.95, `${fact}, ${set}: ${right} of ${stated} right; ${JSON.stringify(faults)}`)
    t.ok(right / known >= 0.85, `${fact}, ${set}: stated for ${right} of ${known}`)
  }
})

t.test('the kind of study', async (t) => {
  const kind = (change: Partial<SourceRecord>) => studyType(paperOf(change))
  t.match(
    kind({ publication_types: ['Observational Study'], abstract: 'We followed 700 men for 3 years.' }),
    {
      type: 'cohort',
      by: 'abstract',
      text: 'We followed 700 men for 3 years.',
    },
  )
  t.match(kind({ publication_types: ['Observational Study'] }), {
    type: 'observational',
    by: 'publication type',
  })
  t.match(kind({ publication_types: ['review'], title: 'Fasting: a systematic review' }), {
    type: 'systematic_review',
    by: 'title',
    text: 'systematic review',
  })
  t.match(kind({ mesh: ['Humans', 'Case-Control Studies'] }), { type: 'case_control', by: 'subject heading' })
  t.match(kind({ mesh: ['Animals', 'Mice, Inbred C57BL'] }), { type: 'animal', text: 'Mice, Inbred C57BL' })
  t.equal(kind({ mesh: ['Animals', 'Humans', 'Mice'] }), null)
  t.equal(kind({ mesh: ['Randomized Controlled Trials as Topic'] }), null, 'a subject is not a design')
  t.match(
    kind({ title: 'A cohort', publication_types: ['Journal Article', 'Randomized Controlled Trial'] }),
    {
      type: 'randomized_controlled_trial',
    },
  )
  t.match(kind({ title: 'x', publication_types: ['Review', 'Meta-Analysis'] }), { type: 'meta_analysis' })
  t.match(kind({ title: 'A case-control study' }), { type: 'case_control', by: 'title' })
  t.match(kind({ title: 'Sleep in mice, randomised' }), { type: 'animal' })
  t.match(kind({ title: 'Protocol of a randomised trial' }), { type: 'protocol' })
  t.equal(kind({ title: 'Opinions' }), null)
  for (const abstract of [
    'No randomised trial has tested this. We discuss why.',
    'Randomised trials are needed.',
    'Previous cohort studies found an effect.',
    'Background: A meta-analysis found an effect.',
    'Patients were not randomised. Records were compared.',
    'A Mendelian randomization analysis of a cohort study was done.',
  ]) {
    t.equal(kind({ abstract }), null, abstract)
  }
})

t.test('the sample size of the study itself', async (t) => {
  const size = (abstract: string) =>
    extract(paperOf({ title: 'A study', abstract })).sample_size?.value ?? null
  for (const [abstract, value] of [
    ['One hundred and forty patients, 70 in each cohort (older: ≥70 years), were recruited.', 140],
    ['About 600,000 children are estimated to live there. We interviewed 85 youths.', 85],
    ['Fibrosis was induced in male C57BL/6 J mice.', null],
    ['Patients received vitamin D (n = 30) or placebo (n = 23).', 53],
    [
      'In this study, 103 patients were divided into the cough group (n = 37) and the other group (n = 66).',
      103,
    ],
    ['A total of 85 youths and 8 officials participated.', 93],
    ['Of 342 patients screened, 248 were enrolled.', 248],
    ['A cohort of 1,127 adults was identified; 96 were excluded, leaving 1,031 patients for analysis.', 1031],
    ['Rats were divided into groups (n = 8 each).', null],
    ['Death occurred in 12 patients.', null],
    ['Pain fell in 43% of patients.', null],
    ['Of 1,200 women worldwide, 30 million are affected each year.', null],
    ['In 2019, 12 weeks of 5.1 mg were given to the patients.', null],
  ] as const) {
    t.equal(size(abstract), value, abstract)
  }
  const { sample_size } = extract(paperOf({ abstract: 'It is so. We enrolled 1,316 patients.' }))
  t.match(sample_size, { value: 1316, text: '1,316 patients' })
})

t.test('parsing written numbers', async (t) => {
  for (const [text, value] of [
    ['1,776', 1776],
    ['1\u2009776', 1776],
    ['ninety-six', 96],
    ['Two hundred and fourteen', 214],
    ['one thousand two hundred', 1200],
    ['twenty-ten', undefined],
    ['zero', undefined],
    ['many', undefined],
    ['0', undefined],
  ] as const) {
    t.equal(numberOf(text), value, text)
  }
})
