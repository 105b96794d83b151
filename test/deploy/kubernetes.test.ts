/** The manifests are valid by Kubernetes' own schemas, have no misspelt fields, and match the processes. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { readSettings } from '../../packages/literature/settings.ts'
import { loadConfig } from '../../server/config.ts'
import { ROOT } from '../helpers/processes.ts'

interface Probe {
  httpGet?: { path: string; port: string }
}
interface Container {
  name: string
  image: string
  command?: string[]
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[]
  envFrom?: { configMapRef: { name: string } }[]
  ports: { name: string; containerPort: number }[]
  livenessProbe?: Probe
  readinessProbe: Probe
  resources: { requests: Record<string, string>; limits: Record<string, string> }
}
interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Record<string, string> }
  data?: Record<string, string>
  spec: {
    selector?: Record<string, string> & { matchLabels?: Record<string, string> }
    ports?: { port: number; targetPort?: string }[]
    template: {
      metadata: { labels: Record<string, string> }
      spec: { containers: [Container]; terminationGracePeriodSeconds: number }
    }
  }
}

const DIR = join(ROOT, 'deploy', 'kubernetes')
const texts = readdirSync(DIR).map((file) => readFileSync(join(DIR, file), 'utf8'))
const manifests = texts.flatMap((text) =>
  parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0]
    return document.toJS() as Manifest
  }),
)
const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
const SECRETS: Record<string, string> = { JWT_SECRET: 'x'.repeat(48), REDIS_PASSWORD: 'a1b2' }

function find(kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name)
  if (!found) throw new Error(`there is no ${kind} ${name}`)
  return found
}

const containerOf = (workload: Manifest) => workload.spec.template.spec.containers[0]

/** The environment as Kubernetes fills it in. */
function environmentOf({ env = [], envFrom = [] }: Container): Record<string, string> {
  const filled: Record<string, string> = {}
  for (const { configMapRef } of envFrom) Object.assign(filled, find('ConfigMap', configMapRef.name).data)
  for (const { name, value, valueFrom } of env)
    filled[name] =
      value?.replace(/\$\((\w+)\)/g, (_, other) => filled[other] ?? `$(${other})`) ??
      (SECRETS[valueFrom?.secretKeyRef.key ?? ''] as string)
  return filled
}

t.test('each manifest is valid by the schema of its kind', async (t) => {
  // Load it by name: its many types would slow down the compiler, and nothing else needs them.
  const require = createRequire(import.meta.url)
  for (const manifest of manifests) {
    const kinds = require(`kubernetes-models/${manifest.apiVersion}`)
    const Kind = kinds[manifest.kind]
    t.ok(Kind, `${manifest.apiVersion} ${manifest.kind}`)
    t.doesNotThrow(() => new Kind(manifest).validate(), `${manifest.kind} ${manifest.metadata.name}`)
  }
  const broken = structuredClone(find('Deployment', 'api'))
  Object.assign(containerOf(broken), { ports: [{ containerPort: 'http' }] })
  const { Deployment } = require('kubernetes-models/apps/v1')
  t.throws(() => new Deployment(broken).validate(), /containerPort/, 'the schema refuses an invalid manifest')
})

t.test('selectors, ports and labels fit together', async (t) => {
  for (const { spec, kind, metadata } of manifests.filter(({ spec }) => spec?.selector)) {
    const selector = spec.selector?.matchLabels ?? spec.selector
    const name = selector?.['app.kubernetes.io/name']
    const workload = workloads.find((one) => one.metadata.name === name) as Manifest
    t.ok(workload, `${kind} ${metadata.name} selects ${name}`)
    t.match(workload.spec.template.metadata.labels, selector as object)
    for (const { port, targetPort } of spec.ports ?? []) {
      const { ports } = containerOf(workload)
      t.ok(ports.some(({ name, containerPort }) => name === targetPort || containerPort === port))
    }
  }
  for (const workload of workloads) {
    const { ports, livenessProbe, readinessProbe, resources } = containerOf(workload)
    for (const probe of [livenessProbe, readinessProbe])
      if (probe?.httpGet) t.ok(ports.some(({ name }) => name === probe.httpGet?.port))
    t.ok(resources.limits.memory && resources.requests.cpu, `${workload.metadata.name} has limits`)
  }
})

t.test('each process accepts its environment, and its probes use the right port', async (t) => {
  for (const role of ['api', 'worker'] as const) {
    const workload = find('Deployment', role)
    const container = containerOf(workload)
    const env = environmentOf(container)
    const config = loadConfig(env, role)
    t.match(config, { NODE_ENV: 'production', HOST: '0.0.0.0', REDIS_URL: 'redis://:a1b2@redis:6379' })
    const port = role === 'api' ? config.PORT : config.WORKER_HEALTH_PORT
    const named = container.ports.find(({ name }) => name === container.readinessProbe.httpGet?.port)
    t.equal(named?.containerPort, port)
    t.equal(container.ports.find(({ name }) => name === 'metrics')?.containerPort, config.ADMIN_PORT)
    t.match(container.livenessProbe, { httpGet: { path: '/health/live' } })
    t.match(container.readinessProbe, { httpGet: { path: '/health/ready' } })
    const grace = workload.spec.template.spec.terminationGracePeriodSeconds * 1000
    t.ok(grace >= config.SHUTDOWN_GRACE_MS + 10_000, `${role} is not killed during its shutdown`)
    t.equal('JWT_SECRET' in env, role === 'api', 'a worker verifies no token')
    const service = new URL(config.catalogue.serviceOf(2)?.url ?? '')
    t.equal(find('Service', service.hostname).spec.ports?.[0]?.port, Number(service.port))
  }
  const stages = containerOf(find('StatefulSet', 'stage-service'))
  t.match(readSettings(environmentOf(stages)), { host: '0.0.0.0', port: 8000, dataDir: '/data' })
})

t.test('each of our containers runs the same program as npm start', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const name of ['api', 'worker', 'stage-service']) {
    const workload = workloads.find(({ metadata }) => metadata.name === name) as Manifest
    t.equal(`exec ${containerOf(workload).command?.join(' ')}`, scripts[`start:${name}`])
  }
})
