/** The top bar: navigation, the user, light or dark mode. */
import { isAdmin, session, signOut } from '../api/session.ts'
import { useWaiting } from '../lists/use-waiting.ts'
import { links, type Route, route } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { nextTheme, theme } from '../state/theme.ts'

export function Bar() {
  const at = useStore(route)
  const who = useStore(session)
  const inside = who.kind === 'token' || who.kind === 'mock'
  const waiting = useWaiting(inside)
  return (
    <header class="bar">
      <a class="brand" href={links.stages}>
        Stagecast
      </a>
      {inside && (
        <nav aria-label="Main">
          <Link to={links.stages} at={at} pages={['stages', 'new']} text="Stages" />
          <Link
            to={links.workflows}
            at={at}
            pages={['workflows', 'workflow', 'run', 'new-run']}
            text="Workflows"
          />
          <Link to={links.jobs} at={at} pages={['jobs', 'job']} text="Jobs" />
          <Link to={links.signOffs} at={at} pages={['sign-offs']} text="Sign-offs" count={waiting} />
          {isAdmin(who) && <Link to={links.dashboard} at={at} pages={['dashboard']} text="Dashboard" />}
        </nav>
      )}
      <div class="who">
        <ThemeButton />
        {who.kind === 'mock' && (
          <a
            class="mock"
            href={links.signIn}
            title="The server accepts requests from this browser without a token. Sign in with one instead."
          >
            No token needed
          </a>
        )}
        {who.kind === 'token' && (
          <>
            <span class="user">{who.user}</span>
            <button type="button" class="plain" onClick={() => signOut()}>
              Sign out
            </button>
          </>
        )}
      </div>
    </header>
  )
}

interface LinkProps {
  to: string
  at: Route
  pages: Route['page'][]
  text: string
  /** How much waits there; '' for nothing. */
  count?: string
}

function Link({ to, at, pages, text, count = '' }: LinkProps) {
  return (
    <a href={to} aria-current={pages.includes(at.page) ? 'page' : undefined}>
      {text}
      {count && <span class="waiting-count">{count}</span>}
    </a>
  )
}

const LABELS = { system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }

function ThemeButton() {
  const chosen = useStore(theme)
  return (
    <button
      type="button"
      class="plain theme"
      aria-label={LABELS[chosen]}
      title={LABELS[chosen]}
      onClick={nextTheme}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5" />
        {chosen === 'system' && <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />}
        {chosen === 'dark' && <circle cx="8" cy="8" r="5.5" fill="currentColor" />}
      </svg>
    </button>
  )
}
