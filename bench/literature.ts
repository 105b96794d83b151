/** The literature review: how good its order is, and how its steps grow with the records. */

import { measureRanking } from '../packages/literature/bench/ranking.ts'
import { main as measureScaling } from '../packages/literature/bench/ranking-scaling.ts'
import type { Benchmark, Row } from './benchmark.ts'

export const literature: Benchmark = {
  name: 'literature',
  title: 'The order of a literature review, and how its steps grow',
  async run(bench) {
    const quality = (await measureRanking()).map(
      ({ order, ndcg }): Row => ({ what: 'nDCG@10', unit: '', subject: order, figure: exactly(ndcg) }),
    )
    if (bench.size(0, 1) === 1) return quality
    const { sizes, ratio } = await measureScaling()
    return [
      ...quality,
      ...sizes.map(
        ({ records, ms }): Row => ({
          what: 'steps 4 to 10',
          unit: 'ms',
          subject: `${records} records`,
          figure: exactly(ms),
        }),
      ),
      {
        what: 'growth over that of n log n',
        unit: '',
        subject: '500 to 4,000 records',
        figure: exactly(ratio),
      },
    ]
  },
}

function exactly(value: number): Row['figure'] {
  return { median: value, min: value, max: value }
}
