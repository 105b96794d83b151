/** A stage of somebody's own catalogue in the console: its form follows from its JSON Schema. */
import t from 'tap'
import { Stages } from '../../packages/stage-kit/index.ts'
import { get } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { axe, openAs, openTab, startAll } from './console.ts'

/** One field of each kind. */
const INPUTS = {
  type: 'object',
  properties: {
    site: { type: 'string', minLength: 1, maxLength: 20, title: 'Measuring site' },
    parameter: { enum: ['nitrate', 'oxygen'] },
    from: { type: 'string', format: 'date', description: 'first day' },
    notes: { type: 'string', maxLength: 2000 },
    limit: { type: 'number', minimum: 0, maximum: 10 },
    repeats: { type: 'integer', default: 3 },
    confidence: { enum: [0.9, 0.95, 0.99] },
    seasons: { type: 'array', items: { enum: ['spring', 'autumn'] } },
    exclude: { type: 'array', items: { type: 'string' } },
    strict: { type: 'boolean' },
    place: { type: 'object', properties: { lat: { type: 'number' }, lon: { $ref: '#/$defs/degrees' } } },
    anything: { type: 'array', items: { type: 'object' } },
    layers: {
      type: 'array',
      items: {
        type: 'object',
        properties: { depth: { type: 'number' }, soil: { enum: ['clay', 'sand'] } },
        required: ['depth'],
      },
    },
    groups: { type: 'array', items: { type: 'array', items: { type: 'string' } } },
    wells: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { open: { type: 'boolean' }, since: { type: 'integer' } },
      },
    },
  },
  $defs: { degrees: { type: 'number', minimum: -180, maximum: 180 } },
  required: ['site', 'parameter'],
  additionalProperties: false,
}

t.test('the form of a stage of one’s own', { skip }, async (t) => {
  const stages = new Stages({ data: t.testdir() }).stage(300, { inputs: INPUTS }, async (job) => {
    await job.write('samples.json', JSON.stringify(job.inputs))
    return { given: job.inputs }
  })
  const service = await stages.listen({ port: 0 })
  t.teardown(() => service.close())
  const entries = [
    { stage: 300, title: 'Take samples', description: 'Collects what the river holds', inputs: INPUTS },
    { stage: 301, title: 'Analyse samples', needs: [300] },
  ]
  const env = { STAGES_FILE: await stagesFile(t, entries), WORKER_URL: service.url }
  const api = await startAll(t, { env })
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url)
  const field = (label: string) => page.getByLabel(label)
  const start = () => page.getByRole('button', { name: 'Start' }).click()

  await t.test('it has a field for each input, as its schema says', async (t) => {
    await page.locator('.unserved', { hasText: 'Analyse samples' }).waitFor({ state: 'attached' })
    t.equal(await page.getByRole('link', { name: /Literature search/ }).count(), 0)
    await page.getByRole('link', { name: /Take samples/ }).click()
    await field('Measuring site').waitFor()
    t.same(await field('Parameter').locator('option').allTextContents(), ['not set', 'Nitrate', 'Oxygen'])
    t.same(await field('Confidence').locator('option').allTextContents(), ['not set', '0.9', '0.95', '0.99'])
    t.equal(await page.locator('textarea#field-inputs-notes').count(), 1)
    t.match(await page.locator('#field-inputs-repeats-hint').textContent(), '3 if left empty')
    t.match(await page.locator('#field-inputs-limit-hint').textContent(), '0 to 10')
    t.same(await axe(page), [])
  })

  await t.test('what the schema forbids is said at its field', async (t) => {
    await field('From').fill('yesterday')
    await field('Limit').fill('11')
    await field('Repeats').fill('2.5')
    await start()
    const fault = (name: string) => page.locator(`#field-inputs-${name}-fault`)
    await fault('site').getByText('is required').waitFor()
    t.match(await fault('parameter').textContent(), /is required/)
    t.match(await fault('from').textContent(), /date/)
    t.match(await fault('limit').textContent(), /at most 10/)
    t.match(await fault('repeats').textContent(), /integer|whole/)
  })

  await t.test('what is typed arrives with its type', async (t) => {
    await field('Measuring site').fill('Magdeburg')
    await field('Parameter').selectOption('Oxygen')
    await field('From').fill('2024-02-29')
    await field('Notes').fill('cold\nand clear')
    await field('Limit').fill('0.5')
    await field('Repeats').fill('2')
    await field('Confidence').selectOption('0.95')
    await page.getByLabel('Autumn').check()
    await field('Exclude').fill('A1\nB2')
    await page.getByLabel('Strict').check()
    await field('Lat').fill('52.12')
    await field('Lon').fill('11.63')
    const raw = field('Anything')
    t.equal(await raw.getAttribute('placeholder'), '[ ]')
    await raw.fill('[{ "any": 1 }]')
    const layers = page.getByRole('group', { name: 'Layers' })
    await layers.getByRole('button', { name: 'Add' }).click()
    await layers.getByLabel('Depth').fill('2.5')
    await layers.getByLabel('Soil').selectOption('Sand')
    await layers.getByRole('button', { name: 'Add' }).click()
    await layers.getByLabel('Depth').nth(1).fill('4')
    await layers.getByRole('button', { name: 'Add' }).click()
    await layers.getByRole('button', { name: 'Remove row 3' }).click()
    await field('Groups').last().fill('clear water, calm\nflood')
    const wells = page.getByRole('group', { name: 'Wells' })
    await wells.getByRole('button', { name: 'Add' }).click()
    await wells.getByLabel('Name').fill('B7')
    await wells.getByLabel('Open').check()
    await wells.getByLabel('Since').fill('1990')
    t.same(await axe(page), [])
    await start()
    await page.locator('.job.completed').waitFor()
    const jobId = /jobs\/300\/([\w-]{36})$/.exec(page.url())?.[1]
    const status = `${api.url}/api/workflow/stages/300/jobs/${jobId}/status`
    const { data, result } = await get<{ data: { inputs: unknown }; result: object }>(status)
    const given = {
      ...{ site: 'Magdeburg', parameter: 'oxygen', from: '2024-02-29', notes: 'cold\nand clear' },
      ...{ limit: 0.5, repeats: 2, confidence: 0.95, seasons: ['autumn'], exclude: ['A1', 'B2'] },
      ...{ strict: true, place: { lat: 52.12, lon: 11.63 }, anything: [{ any: 1 }] },
      ...{
        layers: [{ depth: 2.5, soil: 'sand' }, { depth: 4 }],
        groups: [['clear water', 'calm'], ['flood']],
      },
      ...{ wells: { B7: { open: true, since: 1990 } } },
    }
    t.same(data.inputs, given)
    t.match(result, { results: { given }, artifacts: ['samples.json'] })
    t.match(
      await page.locator('.facts').last().textContent(),
      /Layers: \(depth: 2\.5; soil: sand\), \(depth: 4\)/,
    )
    t.match(await page.locator('.facts').last().textContent(), /Groups: clear water or calm, and flood/)
    await page.getByRole('link', { name: 'Run again with changes' }).click()
    await page.getByRole('group', { name: 'Layers' }).getByLabel('Depth').nth(1).waitFor()
    t.equal(await page.getByRole('group', { name: 'Wells' }).getByLabel('Name').inputValue(), 'B7')
  })

  t.same(complaints, [])
})
