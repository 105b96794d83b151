/** A thousand waiting runs send no more commands to Redis than ten. */
import t from 'tap'
import { openWaiting } from './waiting-scene.ts'

const FEW = 10
const MANY = 1000
/** Longer than the longest maintenance interval, 30 s: a worker reports every 2 s. */
const HEARTBEATS = 17

t.test('the number of waiting runs does not change the number of commands', async (t) => {
  const { fill, watch } = await openWaiting(t)
  await fill(FEW)
  const few = await watch(HEARTBEATS)
  await fill(MANY)
  const many = await watch(HEARTBEATS)
  t.same([...few.aboutRuns, ...many.aboutRuns], [], 'no command names a run, its workflow or its jobs')
  t.same(many.keys, few.keys, 'the same keys are named')
  t.comment(`${few.commands} commands while ${FEW} runs wait, ${many.commands} while ${MANY} do`)
  // Even one command per run would show, because timers vary much less.
  t.ok(many.commands < few.commands + (MANY - FEW) / 2)
})
