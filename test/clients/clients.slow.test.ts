/** The published document passes a strict linter, and each generated client completes the round. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { tsImport } from 'tsx/esm/api'
import { example } from '../docs/markdown.ts'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { becomesReady } from '../helpers/outage.ts'
import { ROOT, runNode } from '../helpers/processes.ts'
import { fakeStageService, ndjson, silence, success } from '../helpers/stage-service.ts'
import type { Connect } from './adapters/adapter.ts'
import { generate } from './generate.ts'
import { FILE, round, runRound } from './round.ts'
import { CLIENTS, provideTools, runTool } from './tools.ts'

/** One adapter per client. */
const GENERATED = ['openapi-fetch', 'hey-api', 'orval', 'kubb', 'swagger-typescript-api']
const ALL = [...GENERATED, 'first-party']

const missing = provideTools((line) => t.comment(line))
if (missing && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(missing)

t.test('the document and its clients', { skip: missing ?? false }, async (t) => {
  const url = await start(t)
  const document = `${url}/openapi.json`

  await t.test('the document passes the linter', async (t) => {
    const file = join(t.testdir(), 'openapi.json')
    const text = await (await fetch(document)).text()
    const lint = () => runTool(t, 'redocly', ['lint', '--format', 'checkstyle', file])
    await writeFile(file, text)
    t.notMatch(await lint(), '<error', 'no warning either')
    await writeFile(file, text.replace('"operationId":"listJobs"', '"operationId":"listStages"'))
    await t.rejects(lint(), /operation-operationId-unique/, 'the linter finds a known fault')
  })

  await generate(t, document)
  const readme = join(CLIENTS, 'generated', 'readme.ts')
  await writeFile(readme, ofReadme(url))
  await t.test('the clients compile, and misuse.ts does not', async (t) => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const { output } = await runNode(t, [tsc, '-p', CLIENTS], {}, CLIENTS)
    t.equal(output, '')
  })

  await t.test('the example of the README', async (t) => {
    const { exit, output } = await runNode(t, ['--import=tsx', readme], {}, CLIENTS)
    t.equal(exit, 0, output)
    t.match(output, /^(active|completed) \d+\n$/)
  })

  for (const name of ALL) {
    await t.test(`the round of ${name}`, async (t) => {
      // The tests are compiled, but the generated code is not.
      const adapter = pathToFileURL(join(CLIENTS, 'adapters', `${name}.ts`)).href
      const { connect } = (await tsImport(adapter, import.meta.url)) as { connect: Connect }
      const client = connect({ baseUrl: url, token: token(name) })
      t.ok(client.page ?? client.watch, 'it reads events')
      await round(t, client, url)
      await runRound(t, client)
    })
  }
})

/** The README's example, adapted to this server and these folder names. */
function ofReadme(url: string): string {
  return example('generated')
    .replace('./stagecast.d.ts', './openapi-typescript.ts')
    .replace('http://127.0.0.1:3001', url)
    .replace('test-token', token())
}

/** An API with a worker and a stage service: stage 2 completes at once, stage 3 never. */
async function start(t: Test): Promise<string> {
  const service = await fakeStageService(t, (call) => {
    if (call.stage === 3) return silence(call)
    const result = { type: 'result', ...success(call, { artifacts: [FILE.name] }) }
    return ndjson([{ type: 'progress', percent: 50, message: 'half of it' }, result])(call)
  })
  service.onGet = (_url, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(FILE.content)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  await becomesReady(url)
  return url
}
