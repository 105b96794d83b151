/** Decides about one paper by hand: in or out, with a reason. */
import { useId } from 'preact/hooks'
import { type Data, data, plain, text } from '../api/read.ts'
import type { Deciding, Decision } from './use-decisions.ts'

/** The contract's limit for a reason. */
const LONGEST_REASON = 500

export function Decide({ paper, deciding }: { paper: Data; deciding: Deciding }) {
  const id = text(paper.id)
  const name = useId()
  const now = deciding.decisions[id]
  if (id === '') return null
  const choose = (decision: Decision['decision']) => () =>
    deciding.decide(id, { decision, ...(now?.reason && { reason: now.reason }) })
  return (
    <div class="decide">
      <fieldset class="switch">
        <legend class="unseen">
          Decide on <bdi>{text(paper.title) || id}</bdi>
        </legend>
        <label>
          <input
            type="radio"
            name={name}
            checked={now?.decision === 'include'}
            onChange={choose('include')}
          />
          Include
        </label>
        <label>
          <input
            type="radio"
            name={name}
            checked={now?.decision === 'exclude'}
            onChange={choose('exclude')}
          />
          Exclude
        </label>
      </fieldset>
      {now && (
        <>
          <label class="reason">
            <span class="unseen">
              Reason to {now.decision} <bdi>{text(paper.title) || id}</bdi>
            </span>
            <input
              placeholder="Reason, for the record"
              autocomplete="off"
              maxLength={LONGEST_REASON}
              value={now.reason ?? ''}
              onInput={(event) =>
                deciding.decide(id, { decision: now.decision, reason: event.currentTarget.value })
              }
            />
          </label>
          <button type="button" class="plain" onClick={() => deciding.decide(id, null)}>
            Undo
          </button>
        </>
      )}
    </div>
  )
}

/** For a paper that a person decided in this run: what the rules had said. */
export function Ruled({ paper }: { paper: Data }) {
  const screening = { ...paper, ...data(paper.screening) }
  const ruled = data(screening.ruled)
  if (!text(ruled.decision)) return null
  return (
    <p class="quiet">
      <span class="chip accent">by hand</span> <bdi>{text(screening.reason)}</bdi>. The rules said{' '}
      {plain(text(ruled.decision))}: <bdi>{plain(text(ruled.reason))}</bdi>.
    </p>
  )
}
