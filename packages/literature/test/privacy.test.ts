/** Private data is refused; harmless text that looks similar is not. */
import t from 'tap'
import { refusePrivate } from '../privacy.ts'
import { connect } from './connected.ts'
import { imitate } from './imitation.ts'
import { stageOver } from './literature-work.ts'

const REFUSED: [what: RegExp, text: string][] = [
  [/an e-mail address/, 'Does statin X help jane.doe@example.org?'],
  [/an e-mail address/, 'ask müller+x@beispiel.de about sleep'],
  [/an e-mail address/, 'ask jane@example.org about sleep'],
  [/an e-mail address/, 'contact ja\u200bne＠exam\u00adple．org please'],
  [/an e-mail address/, 'contact jane (at) example.org'],
  [/a phone number/, 'call +49 170 1234567 about asthma'],
  [/a phone number/, 'call (555) 123-4567 about asthma'],
  [/a phone number/, 'call 555.123.4567 about asthma'],
  [/a phone number/, 'call 0041 44 668 18 00 about asthma'],
  [/a phone number/, 'call 030 901820 about asthma'],
  [/a phone number/, 'call +４９ １７０ １２３４５６７ about asthma'],
  [/a record number/, 'patient with MRN 483920 and asthma'],
  [/a record number/, 'MRN: AB-48392'],
  [/a record number/, 'medical record number 48 is not, but record no. 48392 is'],
  [/a record number/, 'SSN 078-05-1120 and sleep'],
  [/a record number/, 'asthma in 48392017'],
  [/a record number/, 'asthma in ٤٨٣٩٢٠١٧'],
  [/a record number/, 'patient id #4711'],
  [/a record number/, 'case number 2021-4711'],
]

const FINE = [
  'What are the effects of intermittent fasting on cardiovascular health?',
  'Did mortality fall between 1990-2000 and 2005–2010, or since 2019/2020?',
  'Is the 16:8 or the 5:2 diet better in 1,200,000 adults aged 18-65?',
  'Does metformin 850 mg twice daily lower HbA1c below 7.0% in 12 weeks?',
  'Was the result of doi:10.1001/jama.2020.12345678 replicated?',
  'What became of https://doi.org/10.1016/S0140-6736(20)30183-5?',
  'Which studies cite PMID 31978945 or PMC7092803?',
  'Is NCT01234567 or ISRCTN12345678 completed?',
  'Does rs1800562 predict haemochromatosis?',
  'COVID-19, SARS-CoV-2 and H1N1 in case series of 100 patients',
  'Do 3 or 4 doses, 100 200 or 300 mg, work in patient 2 to 5?',
  'Do hospital records from 2015 to 2020 show a rise?',
  'What is the p value of 0.0000001 worth?',
]

t.test('refused', async (t) => {
  for (const [what, text] of REFUSED) {
    t.throws(
      () => refusePrivate('research_question', text),
      { code: 'PRIVATE_DATA', status: 422, retryable: false, message: what },
      text,
    )
  }
})

t.test('fine', async (t) => {
  for (const text of FINE) t.doesNotThrow(() => refusePrivate('research_question', text), text)
})

t.test('private data in any field is refused before anything is sent, and is not quoted', async (t) => {
  const imitation = await imitate(t)
  const { all } = connect(t, imitation)
  const { work } = stageOver(
    t,
    [...all.values()].filter(({ name }) => name !== 'sample'),
  )
  const address = 'jane.doe@example.org'
  for (const [request, field] of [
    [{ question: `Sleep of ${address}` }, 'research_question'],
    [{ inputs: { include_keywords: ['sleep', address] } }, 'inputs/include_keywords/1'],
    [{ inputs: { exclude_keywords: [address] } }, 'inputs/exclude_keywords/0'],
  ] as const) {
    const error = await work(request).catch((reason: Error) => reason)
    t.match(error, {
      code: 'PRIVATE_DATA',
      message: new RegExp(`^${field} contains what looks like an e-mail`),
    })
    t.notMatch((error as Error).message, address)
  }
  t.equal(imitation.requests.length, 0)
})
