/** Stage 1 reads a table of measurements; stage 2 rejects impossible values. `node intake.mjs` serves both. */
import { readFileSync } from 'node:fs'
import { StageError, Stages } from 'stagecast/stage'

const catalogue = JSON.parse(readFileSync(new URL('stages.json', import.meta.url), 'utf8'))
/** The schema with which the API checks inputs, so that the service accepts the same. */
const inputs = (number) => catalogue.stages.find(({ stage }) => stage === number).inputs

const stages = new Stages({ data: process.env.STAGE_DATA_DIR ?? 'data/intake', logger: true })

stages.stage(1, { version: '1', inputs: inputs(1) }, async (job) => {
  const { site, parameter, table } = job.inputs
  const rows = readTable(table)
  await job.progress(50, `${rows.length} measurements read`)
  rows.sort((a, b) => (a.date < b.date ? -1 : 1))
  await job.write('measurements.csv', asTable(rows))
  return { site, parameter, measurements: rows.length, from: rows[0].date, to: rows.at(-1).date }
})

stages.stage(2, { version: '1', inputs: inputs(2) }, async function* (job) {
  const { minimum = 0, maximum = 100 } = job.inputs
  const { site, parameter } = job.upstream[1].results
  const rows = readTable(await job.upstream[1].text('measurements.csv'))
  yield [20, `checking ${rows.length} measurements`]
  const days = new Set()
  const kept = []
  const rejected = []
  for (const row of rows) {
    const fault = days.has(row.date) ? 'day comes twice' : rangeFault(row.value, minimum, maximum)
    if (fault) rejected.push({ ...row, fault })
    else {
      kept.push(row)
      days.add(row.date)
    }
  }
  yield [60, `${rejected.length} rejected`]
  await job.write('checked.csv', asTable(kept))
  await job.write('rejected.json', `${JSON.stringify(rejected, null, 2)}\n`)
  return { site, parameter, kept: kept.length, rejected: rejected.length }
})

function rangeFault(value, minimum, maximum) {
  if (value < minimum) return `below ${minimum}`
  return value > maximum ? `above ${maximum}` : null
}

function readTable(text) {
  const [head, ...lines] = text.trim().split(/\r?\n/)
  if (head !== 'date,value') throw new StageError('BAD_TABLE', 'The first line must be: date,value')
  if (lines.length === 0) throw new StageError('BAD_TABLE', 'The table has no measurements')
  return lines.map((line, index) => {
    const [, date, number] = /^(\d{4}-\d\d-\d\d),(-?\d+(?:\.\d+)?)$/.exec(line) ?? []
    if (!date || Number.isNaN(Date.parse(date)))
      throw new StageError(
        'BAD_TABLE',
        `Line ${index + 2} is not a date and a number, such as 2024-03-31,4.2`,
      )
    return { date, value: Number(number) }
  })
}

function asTable(rows) {
  return ['date,value', ...rows.map(({ date, value }) => `${date},${value}`), ''].join('\n')
}

await stages.serve({ port: Number(process.env.PORT ?? 8001) })
