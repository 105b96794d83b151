/** Measures subjects in turn, so that background load affects all of them alike. */
import { type Summary, summarise } from './statistics.ts'

/** One measurement: figures by name. */
export type Figures = Record<string, number>

export interface Series {
  /** All values of one figure, one for each round. */
  of(subject: string, figure: string): number[]
  summary(subject: string, figure: string): Summary
  /** The ratio in each round. */
  ratio(subject: string, floor: string, figure: string): Summary
}

/** Measures all subjects in rounds, in alternating order. The first round warms up and is discarded. */
export async function interleave(
  runs: number,
  subjects: Record<string, (warmUp: boolean) => Promise<Figures>>,
  warmUp = true,
): Promise<Series> {
  const rounds: Record<string, Figures>[] = []
  for (let run = warmUp ? -1 : 0; run < runs; run += 1) {
    const names = Object.keys(subjects)
    if (run % 2 !== 0) names.reverse()
    const round: Record<string, Figures> = {}
    for (const name of names)
      round[name] = await (subjects[name] as (w: boolean) => Promise<Figures>)(run < 0)
    if (run >= 0) rounds.push(round)
  }
  const of = (subject: string, figure: string) =>
    rounds.map((round) => round[subject]?.[figure] ?? Number.NaN)
  return {
    of,
    summary: (subject, figure) => summarise(of(subject, figure)),
    ratio(subject, floor, figure) {
      const below = of(floor, figure)
      return summarise(of(subject, figure).map((value, i) => value / (below[i] as number)))
    },
  }
}
