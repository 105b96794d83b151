/** The top bar: navigation, the user, light or dark mode. */
import { isAdmin, session, signOut } from '../api/session.ts'
import { useWaiting } from '../lists/use-waiting.ts'
import { links, type Route, route } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { nextTheme, theme } from '../state/theme.ts'

export function Bar() {
  const at = useStore(route)
  const who = useStore(session)
  const inside = who.kind === 'token' || who.kind === 'open'
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
        {inside && (
          <span class="user" title={who.user}>
            <bdi>{who.user}</bdi>
          </span>
        )}
        {who.kind === 'open' && who.development && (
          <span class="chip warm" title="A development server: everyone is this user and may do everything.">
            development
          </span>
        )}
        {who.kind === 'token' && (
          <button type="button" class="plain" onClick={() => signOut(SIGNED_OUT)}>
            Sign out
          </button>
        )}
      </div>
    </header>
  )
}

const SIGNED_OUT = 'You are signed out. This tab has forgotten your token.'

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
