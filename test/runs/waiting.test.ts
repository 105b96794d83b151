/** Runs that wait for a person cost nothing while they wait. The same with 1,000 of them: `waiting.slow.test.ts`. */
import t from 'tap'
import { openWaiting } from './waiting-scene.ts'

t.test('Redis is asked nothing about runs that wait', async (t) => {
  const { fill, watch } = await openWaiting(t)
  await fill(25)
  const { commands, aboutRuns } = await watch(2)
  t.ok(commands > 2, 'the worker is alive')
  t.same(aboutRuns, [])
})
