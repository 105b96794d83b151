/** Rows from interleaved series. */
import type { Row } from './benchmark.ts'
import type { Series } from './interleave.ts'

export const OURS = 'Stagecast'

/** Stagecast, or another subject, against a floor. */
export function against(
  series: Series,
  floor: string,
  what: string,
  unit: string,
  figure: string,
  target?: Row['target'],
  subject = OURS,
): Row {
  return {
    what,
    unit,
    subject,
    figure: series.summary(subject, figure),
    floor: { name: floor, figure: series.summary(floor, figure) },
    ratio: series.ratio(subject, floor, figure),
    ...(target && { target }),
  }
}

/** A figure without a floor. */
export function alone(
  series: Series,
  subject: string,
  what: string,
  unit: string,
  figure: string,
  target?: Row['target'],
): Row {
  return { what, unit, subject, figure: series.summary(subject, figure), ...(target && { target }) }
}
