/** The examples of docs/node.md, put into one file as a reader would. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { read } from '../../../test/docs/markdown.ts'
import { checkService } from '../../../test/helpers/check-service.ts'
import { installKit } from '../../../test/helpers/example-services.ts'
import { startProcess } from '../../literature/test/service-process.ts'

const REVIEW = JSON.stringify({ papers: [1, 2, 3] })

t.test('docs/node.md', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-node-docs-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await installKit(dir)
  const blocks = [...read('docs/node.md').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '')
  t.ok(blocks.length >= 7)
  const isLast = (code: string) => code.startsWith('// last\n')
  const ordered = [...blocks.filter((code) => !isLast(code)), ...blocks.filter(isLast)]
  const file = join(dir, 'service.mjs')
  await writeFile(file, `process.chdir(import.meta.dirname)\n${ordered.join('\n')}`)
  const service = await startProcess(process.execPath, [file], { PORT: '0' })
  t.teardown(() => service.stop())

  const files = createServer((_request, response) => response.end(REVIEW)).listen(0, '127.0.0.1')
  await new Promise((resolve) => files.once('listening', resolve))
  t.teardown(() => files.close())
  const review = {
    ...{ name: 'literature_review.json', bytes: REVIEW.length, media_type: 'application/json' },
    sha256: createHash('sha256').update(REVIEW).digest('hex'),
    url: `http://127.0.0.1:${(files.address() as AddressInfo).port}/`,
  }
  const upstream = { 2: { job_id: randomUUID(), results: { matched: 3 }, files: [review] } }
  const ask = async (stage: number, more: object = {}, signal?: AbortSignal) => {
    const ids = { job_id: randomUUID(), workflow_id: randomUUID(), user_id: 'me' }
    return fetch(`${service.url}/api/workflow/stages/${stage}/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ids, research_question: null, inputs: {}, ...more }),
      ...(signal && { signal }),
    })
  }
  const answer = async (stage: number, more: object = {}) => (await ask(stage, more)).json()

  t.match(await answer(14), { results: { sections: 2 }, artifacts: ['intro.md', 'methods.md'] })
  t.match(await answer(15), { results: { answer: 42 } })
  t.match(await answer(17), { results: { year_from: 1990 } })
  t.match(await answer(17, { inputs: { year_from: 1800 } }), { detail: { code: 'INVALID_INPUTS' } })
  t.match(await answer(18), { detail: { code: 'TOO_FEW_PAPERS' } })
  t.match(await answer(19, { upstream }), { results: { papers: 3, matched: 3 } })

  const leaving = new AbortController()
  const endless = ask(16, {}, leaving.signal)
  while (!/"stage":16,"msg":"stage work started"/.test(service.output())) await new Promise(setImmediate)
  leaving.abort()
  await endless.catch(() => undefined)
  while (!service.output().includes('cleaning up')) await new Promise(setImmediate)

  await checkService(t, service.url, ['--stage', '14', '--stage', '15', '--stage', '17'])
  t.same(await service.stop(), [0, null], 'SIGTERM ends it in order')
})
