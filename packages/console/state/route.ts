/**
 * The current page, kept in the hash of the address: the server always serves the same page, and a link to a job survives
 * a reload. The hash never contains a token.
 */
import { Store } from './store.ts'

/** Filters for the list of jobs. */
const FILTERS = ['stage', 'status', 'workflow_id', 'search', 'owner'] as const
export type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>

export type Route =
  | { page: 'stages' }
  | { page: 'new'; stage: number; workflow: string }
  /** `decide`: begin at the papers to decide about. */
  | { page: 'job'; stage: number; job_id: string; decide: boolean }
  | { page: 'jobs'; filter: Filter }
  | { page: 'workflows' }
  | { page: 'workflow'; workflow: string }
  | { page: 'run'; workflow: string; run: string }
  | { page: 'new-run'; workflow: string; stage: number | null }
  | { page: 'sign-offs' }
  | { page: 'dashboard' }
  | { page: 'sign-in' }
  | { page: 'unknown' }

export const route = new Store<Route>(readRoute(location.hash))
addEventListener('hashchange', () => route.set(readRoute(location.hash)))

/** The page for a hash such as `#/jobs/2/<id>`. */
function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?')
  const search = new URLSearchParams(query)
  const [head = '', second = '', third = '', fourth = ''] = path.split('/').map(decoded)
  if (head === '') return { page: 'stages' }
  if (head === 'new' && second) {
    return { page: 'new', stage: Number(second), workflow: search.get('workflow') ?? '' }
  }
  if (head === 'jobs' && third) {
    return { page: 'job', stage: Number(second), job_id: third, decide: search.has('decide') }
  }
  if (head === 'jobs' && !second) return { page: 'jobs', filter: filterOf(search) }
  if (head === 'run') {
    const stage = search.get('stage')
    return { page: 'new-run', workflow: search.get('workflow') ?? '', stage: stage ? Number(stage) : null }
  }
  if (head === 'sign-offs') return { page: head }
  if (head === 'workflows' && second && third === 'runs' && fourth)
    return { page: 'run', workflow: second, run: fourth }
  if (head === 'workflows' && !second) return { page: head }
  if (head === 'workflows' && second) return { page: 'workflow', workflow: second }
  if (head === 'dashboard' || head === 'sign-in') return { page: head }
  return { page: 'unknown' }
}

export const links = {
  stages: '#/',
  jobs: '#/jobs',
  workflows: '#/workflows',
  dashboard: '#/dashboard',
  signIn: '#/sign-in',
  create: (stage: number, workflow = '') =>
    `#/new/${stage}${workflow && `?workflow=${encodeURIComponent(workflow)}`}`,
  job: ({ stage, job_id }: { stage: number; job_id: string }) =>
    `#/jobs/${stage}/${encodeURIComponent(job_id)}`,
  /** The papers of a review that a person has to decide about. */
  decide: ({ stage, job_id }: { stage: number; job_id: string }) =>
    `#/jobs/${stage}/${encodeURIComponent(job_id)}?decide`,
  workflow: (id: string) => `#/workflows/${encodeURIComponent(id)}`,
  run: ({ workflow_id, run_id }: { workflow_id: string; run_id: string }) =>
    `#/workflows/${encodeURIComponent(workflow_id)}/runs/${encodeURIComponent(run_id)}`,
  /** With the stages that it needs. */
  runTo: (stage: number) => `#/run?stage=${stage}`,
  newRun: (workflow = '') => `#/run${workflow && `?workflow=${encodeURIComponent(workflow)}`}`,
  signOffs: '#/sign-offs',
  filtered: (filter: Filter) => {
    const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== '')).toString()
    return `#/jobs${query && `?${query}`}`
  },
}

/** Keeps only known filters. */
function filterOf(search: URLSearchParams): Filter {
  return Object.fromEntries(FILTERS.flatMap((name) => (search.get(name) ? [[name, search.get(name)]] : [])))
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
