/** Items of one turn are handled together, and each gets its own result. */
import t from 'tap'
import { batched } from '../../journal/batch.ts'

t.test('one call per turn, with a maximum number of items, and results in order', async (t) => {
  const calls: number[][] = []
  const double = batched<number, number>(3, async (numbers) => {
    calls.push(numbers)
    return numbers.map((number) => 2 * number)
  })
  t.same(await Promise.all([1, 2, 3, 4, 5].map(double)), [2, 4, 6, 8, 10])
  t.same(calls, [
    [1, 2, 3],
    [4, 5],
  ])
  t.equal(await double(6), 12)
  t.same(calls.at(-1), [6])
})

t.test('an error for one item fails only that item; an error of the call fails all', async (t) => {
  const some = batched<number, number>(10, async (numbers) =>
    numbers.map((number) => (number % 2 === 0 ? number : new Error(`${number} is odd`))),
  )
  const [even, odd] = await Promise.allSettled([some(2), some(3)])
  t.match(even, { status: 'fulfilled', value: 2 })
  t.match(odd, { status: 'rejected', reason: { message: '3 is odd' } })
  const none = batched<number, number>(10, async () => {
    throw new Error('away')
  })
  for (const one of await Promise.allSettled([none(1), none(2)]))
    t.match(one, { status: 'rejected', reason: { message: 'away' } })
})
