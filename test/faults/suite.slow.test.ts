/** The quick cases of the fault suite, two at a time. `npm run test:faults` runs all cases at full size. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../helpers/processes.ts'
import { play } from './suite/case.ts'
import { CASES } from './suite/cases.ts'

/** The scale of the large cases in this test. */
const SCALE = 0.06

t.jobs = 2
for (const one of CASES.filter(({ quick }) => quick)) {
  t.test(one.name, { buffered: true }, async (t) => {
    const { faults, seen, logs } = await play(one, SCALE)
    t.comment(seen)
    t.same(faults, [], one.promise)
    if (faults.length > 0) t.comment(logs.join('\n'))
  })
}

t.test('docs/reliability.md lists every case and no other', async (t) => {
  const page = readFileSync(`${ROOT}/docs/reliability.md`, 'utf8')
  const section = page.split(/^## /m).find((one) => one.startsWith('The cases')) ?? ''
  const names = [...section.matchAll(/^\| ([^|]+?) \|/gm)].map(([, name]) => name).slice(1)
  t.same(
    names.filter((name) => !name?.startsWith('-')),
    CASES.map(({ name }) => name),
  )
})
