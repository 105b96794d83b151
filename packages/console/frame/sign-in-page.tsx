/** Signs in with a token. */
import { useEffect, useState } from 'preact/hooks'
import { asksForToken, checkToken, tellFailure } from '../api/api.ts'
import { session, signIn, useMock } from '../api/session.ts'
import { Heading } from '../page/parts.tsx'
import { links, route } from '../state/route.ts'
import { useStore } from '../state/store.ts'

export function SignInPage({ why }: { why: string }) {
  const who = useStore(session)
  const [token, setToken] = useState('')
  const [fault, setFault] = useState('')
  const [busy, setBusy] = useState(false)
  const [free, setFree] = useState(who.kind === 'mock')
  useEffect(() => {
    // Without an answer, the form is what there is.
    if (!free)
      asksForToken().then(
        (asks) => setFree(!asks),
        () => {},
      )
  }, [])

  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setFault(await enter(token.trim()).catch(tellFailure))
    setBusy(false)
  }

  return (
    <form class="form narrow" noValidate onSubmit={(event) => void submit(event)}>
      <Heading>Sign in</Heading>
      <p class="lead">
        Stagecast runs the stages of your research, such as a literature review, and shows you live what each
        one is doing.
      </p>
      {why && (
        <p class="note" role="alert">
          {why}
        </p>
      )}
      {free && (
        <p class="note">You need no token here: this is a test server, where everybody is user-dev-001.</p>
      )}
      <div class={fault ? 'field faulty' : 'field'}>
        <label for="token">Token</label>
        <p class="hint" id="token-hint">
          A JSON Web Token from the operator of this server. It is kept in this tab only and forgotten when
          you close it.
        </p>
        <textarea
          id="token"
          class="code"
          rows={4}
          autocomplete="off"
          spellcheck={false}
          value={token}
          aria-describedby="token-hint token-fault"
          aria-invalid={fault ? 'true' : 'false'}
          onInput={(event) => setToken(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') void submit(event)
          }}
        />
        <p class="fault" id="token-fault" role="alert">
          {fault}
        </p>
      </div>
      <div class="actions">
        <button class="primary" type="submit" aria-disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
        {free && (
          <button
            type="button"
            onClick={() => {
              useMock()
              if (route.value.page === 'sign-in') location.hash = links.stages
            }}
          >
            Continue without
          </button>
        )}
      </div>
    </form>
  )
}

/** Returns '' if the token is accepted, which shows the requested page; else what is wrong with it. */
async function enter(token: string): Promise<string> {
  if (token === '') {
    if (await asksForToken()) return 'Paste a token first.'
    useMock()
  } else {
    const fault = await checkToken(token)
    if (fault) return fault
    signIn(token)
  }
  if (route.value.page === 'sign-in') location.hash = links.stages
  return ''
}
