/** The sixty questions of the benchmark: each becomes a query, and no word is dropped without a reason. */
import t from 'tap'
import { printed, readQuestions } from '../bench/questions.ts'

t.test('sixty questions of ten fields', async (t) => {
  const lines = readQuestions()
  t.equal(lines.length, 60)
  t.equal(new Set(lines.map(({ field }) => field)).size, 10)
  for (const { question, query, lost } of lines) {
    t.ok(query, question)
    t.strictSame(lost, [], question)
  }
  t.ok(lines.filter(({ wrong }) => wrong).length <= 6)
  t.match(printed(lines), /wrong {2}–/)
})
