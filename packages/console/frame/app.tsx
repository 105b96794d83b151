/** The frame of all pages, which shows the current one. */
import { useEffect } from 'preact/hooks'
import { whoAmI } from '../api/api.ts'
import { connection } from '../api/connection.ts'
import { enterAs, session, signOut } from '../api/session.ts'
import { DashboardPage } from '../dashboard/dashboard-page.tsx'
import { JobPage } from '../job/job-page.tsx'
import { JobsPage } from '../lists/jobs-page.tsx'
import { RunPage } from '../lists/run-page.tsx'
import { SignOffsPage } from '../lists/sign-offs-page.tsx'
import { WorkflowPage } from '../lists/workflow-page.tsx'
import { WorkflowsPage } from '../lists/workflows-page.tsx'
import { Heading, Loading } from '../page/parts.tsx'
import { planDecisions } from '../run/plan-decisions.ts'
import { NewPage } from '../start/new-page.tsx'
import { NewRunPage } from '../start/new-run-page.tsx'
import { links, type Route, route } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { Bar } from './bar.tsx'
import { SignInPage } from './sign-in-page.tsx'
import { StagesPage } from './stages-page.tsx'

/** How soon to ask again who the user is, while the server is unreachable. */
const RETRY_MS = 2000

export function App() {
  const current = useStore(session)
  useEffect(() => {
    if (current.kind === 'unknown') return learnSession()
  }, [current.kind])
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to the content
      </button>
      <Bar />
      <Notice />
      <main id="main" tabIndex={-1}>
        {current.kind === 'unknown' ? (
          <Loading what="the console" />
        ) : current.kind === 'signed-out' ? (
          <SignInPage why={current.why} />
        ) : (
          <Page />
        )}
      </main>
      <footer class="foot">
        <a href="../docs/">The API</a>
        <a href="../openapi.json">OpenAPI document</a>
      </footer>
    </>
  )
}

function Page() {
  const at = useStore(route)
  // A new key for each subject: going from one job to another starts fresh. Another filter is the same list.
  return <Shown key={at.page === 'jobs' ? at.page : JSON.stringify(at)} at={at} />
}

function Shown({ at }: { at: Route }) {
  switch (at.page) {
    case 'stages':
      return <StagesPage />
    case 'new':
      return <NewPage stage={at.stage} workflow={at.workflow} />
    case 'job':
      return <JobPage stage={at.stage} job_id={at.job_id} planDecisions={planDecisions} />
    case 'jobs':
      return <JobsPage filter={at.filter} />
    case 'workflows':
      return <WorkflowsPage />
    case 'workflow':
      return <WorkflowPage id={at.workflow} />
    case 'run':
      return <RunPage workflow_id={at.workflow} run_id={at.run} />
    case 'new-run':
      return <NewRunPage workflow={at.workflow} stage={at.stage} />
    case 'sign-offs':
      return <SignOffsPage />
    case 'dashboard':
      return <DashboardPage />
    case 'sign-in':
      return <SignInPage why="" />
    case 'unknown':
      return <NoSuchPage />
  }
}

function NoSuchPage() {
  return (
    <>
      <Heading>No such page</Heading>
      <p>
        The console has no page at this address. <a href={links.stages}>See the stages</a> or{' '}
        <a href={links.jobs}>your jobs</a>.
      </p>
    </>
  )
}

/** Says when the server is unreachable. Always present, so that screen readers announce changes. */
function Notice() {
  const state = useStore(connection)
  return (
    <div class="notices" role="status">
      {state === 'offline' && (
        <p class="notice">
          You are offline. Running jobs continue; this page catches up when the network is back.
        </p>
      )}
      {state === 'unreachable' && (
        <p class="notice">The server cannot be reached. This page keeps trying and will catch up.</p>
      )}
    </div>
  )
}

/** A button, not a link: the hash is the route, so a link would change the page. */
function skipToMain(): void {
  document.getElementById('main')?.focus()
}

/** Without a token, asks the API whether it lets this page in. */
function learnSession(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false
  const ask = async () => {
    try {
      const known = await whoAmI()
      if (over || session.value.kind !== 'unknown') return
      if ('me' in known) enterAs(known.me)
      else signOut()
    } catch {
      if (!over) timer = setTimeout(ask, RETRY_MS)
    }
  }
  void ask()
  return () => {
    over = true
    clearTimeout(timer)
  }
}
