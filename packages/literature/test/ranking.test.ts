/** The review puts what helps before what only uses the words; the figures are printed by packages/literature/bench/ranking.ts. */
import t from 'tap'
import { measureRanking } from '../bench/ranking.ts'

t.test('the order is better than that of any source, and than BM25 alone', async (t) => {
  const quality = await measureRanking()
  const review = quality.find(({ order }) => order === 'the review')
  t.equal(quality.length, 4)
  for (const other of quality.filter((one) => one !== review)) {
    t.ok((review?.ndcg ?? 0) > other.ndcg + 0.05, `${review?.ndcg} over ${other.ndcg}, ${other.order}`)
  }
  // Not recall: uncertain papers wait for a person and are not ranked among the included ones.
  t.ok((review?.kept ?? 0) > 0.9, 'screening drops little that helps')
})
