/** Stage 5 answers the question from the trend, and from the seasons if stage 4 has run. */
import { Stages } from 'stagecast/stage'

const MONTHS = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' })
const month = (number) => MONTHS.format(new Date(Date.UTC(2024, number - 1)))

const stages = new Stages({ data: process.env.STAGE_DATA_DIR ?? 'data/report', logger: true })

stages.stage(5, { version: '1' }, async (job) => {
  const trend = await job.upstream[3].json('trend.json')
  const seasons = job.upstream[4]?.results
  const { slope_per_year, significant, p, confidence, measurements } = trend
  const direction = slope_per_year > 0 ? 'rises' : 'falls'
  const answer = significant
    ? `${trend.parameter} ${direction} by ${Math.abs(slope_per_year)} a year (p = ${p}).`
    : `No trend of ${trend.parameter} can be shown at a confidence of ${confidence} (p = ${p}).`
  const lines = [
    `# ${trend.site}: ${trend.parameter}`,
    `**${job.question}**`,
    answer,
    seasons && `It is highest in ${month(seasons.highest)} and lowest in ${month(seasons.lowest)}.`,
    `From ${measurements} measurements, by the Mann-Kendall test and Sen's slope.`,
  ]
  await job.write('report.md', `${lines.filter(Boolean).join('\n\n')}\n`)
  return { answer, significant }
})

await stages.serve({ port: Number(process.env.PORT ?? 8003) })
