/**
 * A first look at the real sources; no part of the suite, whose files end in `.test.ts`. It sends one small query to
 * each: `LITERATURE_LIVE=1 LITERATURE_CONTACT=you@example.org npx tap run packages/literature/test/live.ts`
 */
import t from 'tap'
import { Agent } from 'undici'
import { frame } from '../frame.ts'
import { readLiterature } from '../literature-settings.ts'
import { strictSteps } from '../plan.ts'
import { openSources } from '../sources/index.ts'
import { normaliseAll } from '../steps.ts'

if (process.env.LITERATURE_LIVE !== '1') throw new Error('Set LITERATURE_LIVE=1: this asks public services.')

const faults: string[] = []
const { contact, keys, urls, deadlineMs } = readLiterature(process.env, faults)
if (faults.length > 0) throw new Error(faults.join('\n'))
const dispatcher = new Agent()
t.teardown(() => dispatcher.destroy())
const sources = openSources({ dispatcher, limitsDir: t.testdir(), contact, keys, urls, deadlineMs })
const [step] = strictSteps(frame('Does intermittent fasting lower blood pressure?'))
if (!step) throw new Error('The question has no concept.')
const { expression } = step
const { signal } = new AbortController()
const dois: string[] = []

for (const name of ['europepmc', 'pubmed', ...(keys.openalex ? ['openalex'] : [])]) {
  t.test(name, async (t) => {
    const source = sources.get(name)
    if (source?.kind !== 'searches') return t.fail(`${name} does not search`)
    const { total, records } = await source.search(
      source.plan(expression, { year_from: 2015, language: 'en' }, 5),
      signal,
    )
    const papers = normaliseAll(records)
    t.comment(papers.map(({ id, year, title }) => `${id} ${year} ${title}`).join('\n'))
    t.ok(total > 10, `${total} hits`)
    t.equal(papers.length, 5)
    t.ok(
      papers.every(
        ({ title, authors, year }) => title && authors.length > 0 && year !== null && year >= 2015,
      ),
    )
    t.ok(
      papers.some(({ abstract }) => abstract !== null),
      'some have an abstract',
    )
    t.ok(
      papers.some(({ title, abstract }) => /fasting/i.test(`${title} ${abstract}`)),
      'they deal with what was asked',
    )
    dois.push(...papers.flatMap(({ doi }) => doi ?? []))
  })
}

t.test('crossref', async (t) => {
  const source = sources.get('crossref')
  if (source?.kind !== 'completes') return t.fail('crossref does not complete')
  const { records } = await source.search(source.plan(dois.slice(0, 3)), signal)
  t.ok(records.length > 0, `${records.length} of ${Math.min(3, dois.length)} DOIs are known`)
  t.ok(normaliseAll(records).every(({ doi }) => doi !== null && dois.includes(doi)))
})
