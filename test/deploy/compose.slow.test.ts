/** Checks the text of the compose file, because the tests cannot rely on a container engine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { readSettings, WORK_DEFAULTS } from '../../packages/literature/settings.ts'
import { loadConfig, VARIABLES } from '../../server/config.ts'
import { TRACING_VARIABLES } from '../../server/tracing-env.ts'
import { ROOT, runNode } from '../helpers/processes.ts'

// The test builds the whole project, which takes minutes on a busy machine.

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** The part of the compose format that is used. Any other key is a fault, so that misspelt ones are found. */
const Service = Type.Object(
  {
    image: Type.String(),
    build: Type.Optional(Type.String()),
    command: Type.Array(Type.String()),
    init: Type.Literal(true),
    restart: Type.Literal('unless-stopped'),
    stop_grace_period: Type.String({ pattern: '^[0-9]+s$' }),
    logging: Type.Object(
      {
        driver: Type.Literal('json-file'),
        options: Type.Object(
          {
            'max-size': Type.String({ pattern: '^[0-9]+m$' }),
            'max-file': Type.String({ pattern: '^[0-9]+$' }),
          },
          { additionalProperties: false },
        ),
      },
      { additionalProperties: false },
    ),
    deploy: Type.Object(
      {
        resources: Type.Object(
          {
            limits: Type.Object(
              {
                cpus: Type.String({ pattern: '^[0-9.]+$' }),
                memory: Type.String({ pattern: '^[0-9]+[MG]$' }),
              },
              { additionalProperties: false },
            ),
          },
          { additionalProperties: false },
        ),
      },
      { additionalProperties: false },
    ),
    environment: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]))),
    ports: Type.Optional(Type.Array(Type.String())),
    volumes: Type.Optional(Type.Array(Type.String())),
    healthcheck: Type.Optional(
      Type.Object(
        {
          test: Type.Array(Type.String(), { minItems: 2 }),
          interval: Type.String(),
          timeout: Type.String(),
          retries: Type.Integer(),
          start_period: Type.String(),
        },
        { additionalProperties: false },
      ),
    ),
    depends_on: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ condition: Type.Literal('service_healthy') }, { additionalProperties: false }),
      ),
    ),
  },
  { additionalProperties: false },
)
const Compose = Type.Object({
  name: Type.String(),
  services: Type.Object(
    { redis: Service, api: Service, worker: Service, 'stage-service': Service },
    { additionalProperties: false },
  ),
  volumes: Type.Record(Type.String(), Type.Null()),
})

const text = read('docker-compose.yml')
const compose = Value.Decode(Compose, parse(text, { merge: true })) as Static<typeof Compose>
const { redis, api, worker, 'stage-service': stageService } = compose.services
const ours = { api, worker, 'stage-service': stageService }

/** Fills in `env` as compose does. A variable without a value is passed on if it is set, else left out. */
function environmentOf(
  service: Static<typeof Service>,
  env: Record<string, string> = {},
): Record<string, string> {
  const entries = Object.entries(service.environment ?? {}).flatMap(([name, value]) => {
    const filled =
      value?.replace(
        /\$\{(\w+)(?::([?-])([^}]*))?\}/g,
        (_, variable, operator, rest) => env[variable] ?? (operator === '-' ? rest : ''),
      ) ?? env[name]
    return filled === undefined ? [] : [[name, filled] as const]
  })
  return Object.fromEntries(entries)
}

const secret = { JWT_SECRET: 'x'.repeat(48), REDIS_PASSWORD: 'a1b2' }

t.test('Redis persists its data, is not reachable from outside, and the others wait for it', async (t) => {
  const command = redis.command.join(' ')
  t.match(command, '--appendonly yes')
  t.match(command, '--maxmemory-policy noeviction')
  t.strictSame(redis.volumes, ['redis-data:/data'])
  t.ok('redis-data' in compose.volumes)
  t.match(redis.healthcheck?.test, ['CMD-SHELL', /^redis-cli ping/])
  for (const door of [api, worker]) {
    t.strictSame(Object.keys(door.depends_on ?? {}).sort(), ['redis', 'stage-service'])
  }
})

t.test('only the API is reachable, and from this machine only', async (t) => {
  t.strictSame(api.ports, [`127.0.0.1:\${PORT:-3001}:${environmentOf(api).PORT}`])
  for (const service of [redis, worker, stageService]) t.equal(service.ports, undefined)
})

t.test('each process accepts its environment, with and without options from .env', async (t) => {
  for (const env of [
    secret,
    { ...secret, LOG_LEVEL: 'debug', STAGE_WORKER_CONCURRENCY: '7', CORS_ORIGINS: '' },
  ]) {
    for (const door of [api, worker]) {
      const config = loadConfig(environmentOf(door, env), door === worker ? 'worker' : 'api')
      t.match(config, { NODE_ENV: 'production', HOST: '0.0.0.0', ALLOW_MOCK_AUTH: false })
      const service = new URL(config.catalogue.serviceOf(2)?.url ?? '')
      t.equal(service.hostname, 'stage-service')
      t.equal(service.port, environmentOf(stageService).PORT)
      t.equal(new URL(config.REDIS_URL).hostname, 'redis')
      t.equal(new URL(config.REDIS_URL).password, secret.REDIS_PASSWORD)
    }
    const settings = readSettings(environmentOf(stageService, env))
    t.match(settings, { host: '0.0.0.0', dataDir: '/data' })
  }
  t.equal(
    loadConfig(environmentOf(worker, { ...secret, STAGE_WORKER_CONCURRENCY: '7' }), 'worker')
      .STAGE_WORKER_CONCURRENCY,
    7,
  )
  t.throws(() => loadConfig(environmentOf(api)), /JWT_SECRET/, 'without a secret nothing starts')
})

t.test('the environment can name another stage service', async (t) => {
  for (const door of [api, worker]) {
    const url = 'https://stages.example.org/api'
    const role = door === worker ? 'worker' : 'api'
    const config = loadConfig(environmentOf(door, { ...secret, WORKER_URL: url }), role)
    t.equal(config.catalogue.serviceOf(2)?.url, url)
  }
})

t.test('Redis requires the password that the others use', async (t) => {
  const [, password] =
    /^(\$\{REDIS_PASSWORD:\?is required;.*openssl rand.*\})$/.exec(redis.command.at(-1) ?? '') ?? []
  t.ok(password, 'compose itself requires it')
  t.equal(redis.command.at(-2), '--requirepass')
  t.equal(
    environmentOf(redis, secret).REDISCLI_AUTH,
    secret.REDIS_PASSWORD,
    'the health check uses the password',
  )
})

t.test('each service has limits, and its log is rotated', async (t) => {
  for (const { deploy, logging } of Object.values(compose.services)) {
    t.ok(Number.parseFloat(deploy.resources.limits.cpus) > 0)
    t.ok(Number.parseInt(logging.options['max-file'], 10) > 1)
  }
})

t.test('compose requires the secret, and its message says how to make one', async (t) => {
  t.match(api.environment?.JWT_SECRET, /^\$\{JWT_SECRET:\?is required;.*openssl rand/)
  t.notOk('JWT_SECRET' in (worker.environment ?? {}), 'a worker verifies no token')
  t.notOk('JWT_SECRET' in (stageService.environment ?? {}), 'the stage service does not get it')
})

t.test('every option of the contract can be set, and every variable named is documented', async (t) => {
  const offered = new Set([api, worker].flatMap((service) => Object.keys(service.environment ?? {})))
  const instead = ['JWT_PUBLIC_KEY', 'JWT_JWKS_URL']
  t.strictSame(
    VARIABLES.filter((name) => !offered.has(name) && !instead.includes(name)),
    [],
  )

  for (const service of [api, worker])
    for (const name of TRACING_VARIABLES) t.equal(service.environment?.[name], null, name)
  for (const name of Object.keys(WORK_DEFAULTS)) t.equal(stageService.environment?.[name], null, name)

  const documented = new Set(
    read('.env.example')
      .match(/^#? ?[A-Z][A-Z0-9_]*(?==)/gm)
      ?.map((name) => name.replace(/^#? ?/, '')),
  )
  const interpolated = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? '')
  const passedOn = Object.values(ours).flatMap(({ environment = {} }) =>
    Object.keys(environment).filter((name) => environment[name] === null),
  )
  t.ok(interpolated.length > 0 && passedOn.length > 0)
  t.strictSame(
    [...new Set([...interpolated, ...passedOn])].filter((name) => !documented.has(name)),
    [],
  )
})

t.test('a stopped process can finish: the engine waits longer than its grace period', async (t) => {
  for (const door of [api, worker]) {
    const grace = loadConfig(
      environmentOf(door, secret),
      door === worker ? 'worker' : 'api',
    ).SHUTDOWN_GRACE_MS
    t.ok(Number.parseInt(door.stop_grace_period, 10) * 1000 >= grace + 5000)
  }
})

t.test('workers can be scaled: they have no container name and no volume', async (t) => {
  t.notMatch(text, 'container_name')
  t.equal(worker.volumes, undefined)
})

t.test('each of our processes runs the same program as npm start', async (t) => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const [name, { command }] of Object.entries(ours))
    t.equal(`exec ${command.join(' ')}`, scripts[`start:${name}`])
  t.strictSame(api.command, lastInstruction('CMD'), 'the image’s own command is the API')
})

t.test('the health checks use the right port and detect an unhealthy process', async (t) => {
  const checks = [
    { name: 'the image', test: lastInstruction('HEALTHCHECK'), port: '3001' },
    { name: 'worker', test: worker.healthcheck?.test, port: environmentOf(worker).WORKER_HEALTH_PORT },
    { name: 'stage-service', test: stageService.healthcheck?.test, port: environmentOf(stageService).PORT },
  ]
  for (const { name, test = [], port } of checks) {
    const [program, flag, script = ''] = test.filter((word) => word !== 'CMD')
    t.strictSame([program, flag], ['node', '-e'])
    t.ok(script.includes(port ?? 'none'), `${name} asks port ${port}`)
    for (const status of [200, 503]) {
      t.equal(
        await exitCodeAgainst(t, script, port ?? '', status),
        status === 200 ? 0 : 1,
        `${name}: ${status}`,
      )
    }
  }
})

t.test('the image: no root, no secrets', async (t) => {
  const dockerfile = read('Dockerfile')
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  t.match(lastStage, /^USER node$/m)
  t.notMatch(lastStage, /COPY \. /)
  t.match(dockerfile, /npm ci[\s\S]*npm run build && npm prune --omit=dev/)
})

t.test('the files that .dockerignore allows are enough for the build', async (t) => {
  const [first, ...letIn] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  t.equal(first, '*', 'other files are excluded')
  const top = readdirSync(ROOT)
  const named = letIn.flatMap((line) => {
    const [, name = '', ending] = /^!([\w.-]+|\*(\.\w+))$/.exec(line) ?? []
    return ending ? top.filter((file) => file.endsWith(ending)) : [name]
  })
  const context = await mkdtemp(join(tmpdir(), 'stagecast-image-'))
  t.teardown(() => rm(context, { recursive: true, force: true }))
  for (const name of named) await cp(join(ROOT, name), join(context, name), { recursive: true })
  t.ok(named.includes('package-lock.json') && named.includes('.npmrc'), 'npm ci installs the locked versions')
  await symlink(join(ROOT, 'node_modules'), join(context, 'node_modules'))
  const { build } = JSON.parse(read('package.json')).scripts
  // The steps of `npm run build` after its set-up.
  const [, ...steps] = build.split(' && ') as string[]
  t.ok(steps.length > 2, build)
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const step of steps) {
    const [program, ...words] = step.split(' ')
    const args = program === 'tsc' ? [compiler, ...words] : words
    const { exit, output } = await runNode(t, args, {}, context)
    t.equal(exit, 0, output)
  }
  for (const { command } of Object.values(ours))
    t.ok(existsSync(join(context, command[1] ?? 'none')), command.join(' '))
  t.ok(existsSync(join(context, 'dist', 'console', 'index.html')))
})

/** The words of the last such instruction of the Dockerfile, which is in its JSON form. */
function lastInstruction(name: 'CMD' | 'HEALTHCHECK'): string[] {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n')
  const line = lines.findLast((each) => each.startsWith(name)) ?? ''
  return JSON.parse(line.slice(line.indexOf('[')))
}

/** Runs a health check against a local server that answers everything with `status`. */
async function exitCodeAgainst(t: Test, script: string, port: string, status: number): Promise<number> {
  const server = createServer((_, answer) => answer.writeHead(status).end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const moved = script.replaceAll(port, String((server.address() as AddressInfo).port))
  const [code] = await once(spawn(process.execPath, ['-e', moved], { env: {}, stdio: 'ignore' }), 'exit')
  return code
}
