#!/usr/bin/env node
/** `stagecast <command>`: the entry points of an installed package. */
import { findRedis } from '../dev/find-redis.mjs'
import { planRedisInstall } from '../dev/install-redis.mjs'

const USAGE = `stagecast <command>

  dev            runs API, worker, stage service and its own Redis until Ctrl-C, for development
  api            runs the API
  worker         runs a worker
  all            runs API and worker in one process
  stage-service  runs the built-in stage service

All commands except dev read the environment and a file .env in the current folder.
`

const DOORS: Record<string, () => Promise<unknown>> = {
  api: () => import('./api.ts'),
  worker: () => import('./worker.ts'),
  all: () => import('./all.ts'),
  'stage-service': () => import('../packages/literature/serve.ts'),
  async dev() {
    requireRedis()
    process.argv.push('--dev')
    await import('./all.ts')
  },
}

const [name = '--help'] = process.argv.slice(2)
const open = Object.hasOwn(DOORS, name) ? DOORS[name] : undefined
if (open) await open()
else if (['--help', '-h', 'help'].includes(name)) process.stdout.write(USAGE)
else {
  process.stderr.write(`There is no command ${JSON.stringify(name)}.\n\n${USAGE}`)
  process.exitCode = 1
}

/** An installed package does not install anything on the machine; it says how to do it. */
function requireRedis(): void {
  if (process.env.REDIS_URL || findRedis(process.env)) return
  const plan = planRedisInstall(process.env)
  const commands = [plan?.refresh, plan?.installs[0]].flatMap((command) =>
    command ? [command.join(' ')] : [],
  )
  const how =
    commands.length > 0
      ? `Install one:\n\n  ${commands.join(' && ')}\n\n`
      : 'Install Redis (6.2 or later) or Valkey, '
  process.stderr.write(
    `There is no redis-server or valkey-server here. ${how}or set REDIS_URL to a Redis that runs elsewhere.\n`,
  )
  process.exit(1)
}
