/** The inbox of those who sign: what waits for the user's sign-off, the longest wait first. */
import { useEffect, useState } from 'preact/hooks'
import type { WaitingSignOff } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { session } from '../api/session.ts'
import { Failure, Heading, Loading, Time } from '../page/parts.tsx'
import { titleOf, useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { useQuestion } from './run-page.tsx'

const FRESH_MS = 5000

export function SignOffsPage() {
  const { waiting, more, failure } = useSignOffs()
  const who = useStore(session)
  return (
    <>
      <Heading>Sign-offs</Heading>
      <p class="lead">Results that wait for your decision, the longest wait first.</p>
      {failure && <Failure text={failure} />}
      {!waiting && !failure && <Loading what="your sign-offs" />}
      {waiting?.length === 0 && (
        <p class="empty">
          Nothing waits for your sign-off.
          {who.kind === 'token' && ' If you expected one, check that your token has the sign-off scope.'}
        </p>
      )}
      {waiting && waiting.length > 0 && (
        <ul class="jobs">
          {waiting.map((one) => (
            <Waiting key={`${one.run_id} ${one.stage}`} one={one} />
          ))}
        </ul>
      )}
      {more && <p class="hint">More results are waiting. They appear here when you have decided on these.</p>}
    </>
  )
}

function Waiting({ one }: { one: WaitingSignOff }) {
  const { stages } = useStages()
  const question = useQuestion([one])
  const title = titleOf(stages, one.stage)
  return (
    <li class="job-row">
      <a href={links.run(one)}>
        <span class="name">
          <bdi>{question || one.name || title}</bdi>
        </span>
        <span class="quiet">
          Stage {one.stage} · {title} · waiting since <Time at={one.since} />
        </span>
      </a>
      <span class="badge awaiting_sign_off">needs sign-off</span>
    </li>
  )
}

interface Inbox {
  /** Null until known. */
  waiting: readonly WaitingSignOff[] | null
  more: boolean
  failure: string
}

function useSignOffs(): Inbox {
  const [inbox, setInbox] = useState<Inbox>({ waiting: null, more: false, failure: '' })
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const read = () =>
      persist(() => stagecast.runs.signOffs({ limit: 100, signal }), signal).then(
        ({ sign_offs, next }) =>
          signal.aborted || setInbox({ waiting: sign_offs, more: next !== null, failure: '' }),
        (error) => signal.aborted || setInbox((now) => ({ ...now, failure: tellFailure(error) })),
      )
    void read()
    const timer = setInterval(() => document.hidden || void read(), FRESH_MS)
    return () => {
      clearInterval(timer)
      leaving.abort()
    }
  }, [])
  return inbox
}
