/** Files at a gate: data as a tree, a table, a text, a picture, the rest as a download; whatever they contain stays text. */
import t from 'tap'
import { enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fakeStageService, ndjson, success } from '../helpers/stage-service.ts'
import { axe, CONSOLE, openAs, openTab, overflow } from './console.ts'

const EVIL = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'"{{7*7}}`
const MANY = Array.from({ length: 130 }, (_, at) => `${at},row ${at}`)

const FILES: Record<string, string> = {
  'data.json': `{"${EVIL.replaceAll('"', '\\"')}":"${EVIL.replaceAll('"', '\\"')}","__proto__":{"polluted":true},
    "exact":12345678901234567890,"list":[${MANY.map((_, at) => at).join()}],"deep":{"deeper":{"deepest":"here"}}}`,
  'broken.json': '{"half":',
  'huge.json': `"${'x'.repeat(5_000_001)}"`,
  'table.csv': `\ufeffname;"a ""quoted"" head"\r\n${EVIL.replaceAll('"', "'")};"two\r\nlines; and more"\r\n`,
  'long.csv': `number,text\n${MANY.join('\n')}\n`,
  'note.md': `# Title\n\n${EVIL}\n\n[a link](javascript:window.pwned=1)\n`,
  'picture.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>parent.pwned=1</script><rect width="40" height="20"/></svg>`,
  'draft.docx': 'PK',
}

t.test('files of a result', { skip }, async (t) => {
  const service = await fakeStageService(t, (call) =>
    ndjson([
      { type: 'result', ...success(call, { artifacts: Object.keys(FILES), results: { told: EVIL } }) },
    ])(call),
  )
  service.onGet = (url, response) => {
    const file = FILES[decodeURIComponent(url.split('/').at(-1) ?? '')]
    response.writeHead(file === undefined ? 404 : 200).end(file)
  }
  const STAGES_FILE = await stagesFile(t, [{ stage: 1, title: 'Make', sign_off: true }])
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page, complaints } = await openTab(t, { viewport: { width: 1200, height: 1000 } })
  const job = await enqueue(api.url, { stage: 1 })
  await openAs(page, api.url, `#/jobs/1/${job.job_id}`)

  const file = (name: string) => page.locator('.file-preview', { hasText: name })
  const open = (name: string) => file(name).locator('summary').first().click()
  await t.test('text and pictures are unfolded', async (t) => {
    await file('note.md').getByText(EVIL).waitFor()
    t.equal(await file('note.md').locator('a, img, script').count(), 0)
    await file('picture.svg').getByRole('img').waitFor()
  })
  await t.test('JSON is a tree that unfolds part by part', async (t) => {
    await open('data.json')
    const tree = file('data.json').locator('.tree')
    await tree.getByText('12345678901234567890').waitFor()
    t.equal(await tree.getByText('here', { exact: true }).count(), 0, 'what is folded is not drawn')
    await tree.locator('summary', { hasText: 'deep' }).click()
    await tree.locator('summary', { hasText: 'deeper' }).click()
    await tree.getByText('here', { exact: true }).waitFor()
    await tree.locator('summary', { hasText: '__proto__' }).click()
    await tree.getByText('polluted', { exact: true }).waitFor()
    await tree.locator('summary', { hasText: 'list' }).click()
    const more = tree.getByRole('button', { name: 'Show 30 more of 130' })
    await more.waitFor()
    t.equal(await tree.locator('li li').count(), 3 + 100 + 1)
    await more.click()
    await tree.getByText('129', { exact: true }).first().waitFor()
    t.equal(await tree.getByText(EVIL).count(), 2, 'name and value')
    t.same(await axe(page), [])
  })
  await t.test('what cannot be shown says why', async () => {
    await open('broken.json')
    await file('broken.json').getByText('not valid JSON; download it').waitFor()
    await open('huge.json')
    await file('huge.json').getByText('too long to be shown here; download it.').waitFor()
  })
  await t.test('CSV is a table', async (t) => {
    await open('table.csv')
    const cells = file('table.csv').locator('td')
    await cells.first().waitFor()
    t.same(await file('table.csv').locator('th').allTextContents(), ['name', 'a "quoted" head'])
    t.same(await cells.allTextContents(), [EVIL.replaceAll('"', "'"), 'two\r\nlines; and more'])
    await open('long.csv')
    await file('long.csv').getByText('50 of 130 rows').waitFor()
    await file('long.csv').getByRole('button', { name: 'Show more rows' }).click()
    await file('long.csv').getByText('row 129').waitFor()
    t.same(await axe(page), [])
    await page.setViewportSize({ width: 390, height: 844 })
    t.ok((await overflow(page)) <= 0)
  })
  await t.test('the rest is downloaded', async (t) => {
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: /draft\.docx/ }).click()
    t.equal((await saving).suggestedFilename(), 'draft.docx')
  })
  t.equal(await page.evaluate('window.pwned'), undefined)
  t.equal(await page.evaluate('({}).polluted'), undefined)
  t.same(complaints, [])
})
