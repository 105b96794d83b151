/** Signs in with a token. A server that lets everybody in says so first. */
import { useEffect, useState } from 'preact/hooks'
import { tellFailure, whoAmI } from '../api/api.ts'
import { enterAs, type Me, signIn } from '../api/session.ts'
import { Heading } from '../page/parts.tsx'
import { links, route } from '../state/route.ts'

export function SignInPage({ why }: { why: string }) {
  /** Whom the server takes this page for without a token. */
  const [me, setMe] = useState<Me | null>(null)
  useEffect(() => {
    // Without an answer, the form is what there is.
    whoAmI().then(
      (known) => setMe('me' in known ? known.me : null),
      () => {},
    )
  }, [])
  return (
    <div class="form narrow">
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
      {me ? <Open me={me} /> : <TokenForm />}
    </div>
  )
}

/** A token is the exception here, so its form is folded. */
function Open({ me }: { me: Me }) {
  return (
    <>
      <p>
        You do not need to sign in here: you are <bdi class="unbroken">{me.user_id}</bdi>.
        {me.authentication === 'development' &&
          ' This is a development server: everyone is this user and may do everything.'}
      </p>
      <div class="actions">
        <button
          type="button"
          class="primary"
          onClick={() => {
            enterAs(me)
            leave()
          }}
        >
          Continue as <bdi>{me.user_id}</bdi>
        </button>
      </div>
      <details class="fold">
        <summary class="quiet">Sign in as another user with a token</summary>
        <TokenForm />
      </details>
    </>
  )
}

function TokenForm() {
  const [token, setToken] = useState('')
  const [fault, setFault] = useState('')
  const [busy, setBusy] = useState(false)

  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setFault(await enter(token.trim()).catch(tellFailure))
    setBusy(false)
  }

  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
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
      </div>
    </form>
  )
}

const UNCHECKED =
  'This is not a JSON Web Token, so the server did not check it. A token has three parts, separated by dots.'

/** Returns '' if the token is accepted, which shows the requested page; else what is wrong with it. */
async function enter(token: string): Promise<string> {
  if (token === '') return 'Paste a token first.'
  const known = await whoAmI(token)
  if ('problem' in known) return known.problem
  if (known.me.authentication === 'development') return UNCHECKED
  signIn(token, known.me)
  leave()
  return ''
}

function leave(): void {
  if (route.value.page === 'sign-in') location.hash = links.stages
}
