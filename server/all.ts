/** Entry point: API and worker in one process; with `--dev` also a Redis and a stage service, if they are missing. */
import { join } from 'node:path'
import type { Catalogue, CatalogueStage } from '../contract/catalogue.ts'
import { ConfigError, loadConfig } from './config.ts'
import { type Running, runDoor } from './door.ts'
import { openApi, openWorker } from './processes.ts'

await runDoor(async () => {
  const parts: Parts = { closing: false, closers: [] }
  const env = process.argv.includes('--dev') ? await developmentEnvironment(parts) : process.env
  const config = loadConfig(env)
  const api = await openApi(config)
  const worker = await openWorker(config, { beside: api.metrics })
  process.send?.({ type: 'ready', url: api.url, dataDir: env.STAGECAST_DATA })
  if (env !== process.env && config.LOG_LEVEL !== 'silent')
    greet(api.url, config.catalogue, env.LITERATURE_SOURCES)
  const running: Running = {
    log: api.log,
    graceMs: config.SHUTDOWN_GRACE_MS,
    async close() {
      parts.closing = true
      await Promise.all([api.close(), worker.close()])
      for (const close of parts.closers.reverse()) await close()
    },
  }
  return running
})

/** Redis and the stage service, if this process started them. They are closed last. */
interface Parts {
  closing: boolean
  closers: (() => Promise<unknown>)[]
}

/** Starts Redis and the stage service unless the environment names them. Returns the environment with their addresses. */
async function developmentEnvironment(parts: Parts): Promise<NodeJS.ProcessEnv> {
  const data = process.env.STAGECAST_DATA || '.stagecast/dev'
  const env: NodeJS.ProcessEnv = {
    ALLOW_MOCK_AUTH: 'true',
    ...process.env,
    // Ignore NODE_ENV=production from the shell, as in a container: this is a development server.
    NODE_ENV: process.env.NODE_ENV === 'test' ? 'test' : 'development',
    STAGECAST_DATA: data,
  }
  if (!env.REDIS_URL) {
    const { startRedis } = await import('../dev/redis.ts')
    const redis = await startRedis({ dir: join(data, 'redis') })
    parts.closers.push(() => redis.stop())
    void redis.exited.then(({ code, signal, log }) => {
      // Uncaught on purpose: the entry point closes the rest and exits with 1.
      if (!parts.closing)
        throw new Error(`The embedded Redis exited unexpectedly (${signal ?? `exit code ${code}`}):\n${log}`)
    })
    env.REDIS_URL = redis.url
  }
  if (!env.WORKER_URL) {
    const { startBuiltInService } = await import('../packages/literature/start.ts')
    const { readWork } = await import('../packages/literature/settings.ts')
    // Development must not query public services unless they are named explicitly.
    env.LITERATURE_SOURCES = env.LITERATURE_SOURCES?.trim() || 'sample'
    const faults: string[] = []
    const work = readWork(env, faults)
    if (faults.length > 0) throw new ConfigError(faults)
    const service = await startBuiltInService({
      host: '127.0.0.1',
      port: 0,
      dataDir: join(data, 'stage-service'),
      ...work,
    })
    parts.closers.push(() => service.close())
    env.WORKER_URL = service.url
  }
  return env
}

function greet(url: string, { stages }: Catalogue, sources: string | undefined): void {
  const { stage } = stages.find(({ stage }) => stage === 2) ?? (stages[0] as CatalogueStage)
  const question =
    '{"workflow_id":"123e4567-e89b-12d3-a456-426614174000","research_question":"Does sleep change memory?"}'
  const sample =
    'Stage 2 reviews a sample of invented records. To search real sources over the network:\n' +
    '  LITERATURE_SOURCES=europepmc,crossref npm run dev\n\n'
  process.stdout.write(
    [
      `\nStagecast is running at ${url}. Press Ctrl-C to stop it. Open ${url}/console/ in a browser. The API: ${url}/docs.`,
      'Or, in another terminal:\n',
      `  curl -s ${url}/api/workflow/stages/${stage}/execute -H 'content-type: application/json' -d '${question}'`,
      `  curl -N "${url}<urls.events of the answer>"\n`,
      sources === 'sample' ? sample : '',
    ].join('\n'),
  )
}
