/** The groups of a search as chips: a paper must meet all groups, each by any of its terms. */
import { useRef, useState } from 'preact/hooks'
import { plain } from '../api/read.ts'
import type { Concept, LeftOut } from './read-preview.ts'

/** Read-only, as they are searched. */
export function Groups({ concepts }: { concepts: readonly Concept[] }) {
  const required = concepts.filter((one) => one.required)
  const others = concepts.filter((one) => !one.required)
  if (concepts.length === 0) return null
  return (
    <ol class="groups">
      {required.map(({ role, terms, synonyms }, at) => (
        <li class="group" key={at}>
          <GroupHead at={at} role={role} />
          <ul class="chips">
            {terms.map((term) => (
              <li class="term asked" key={term}>
                <bdi>{term}</bdi>
              </li>
            ))}
            {synonyms.map((term) => (
              <li class="term" key={term}>
                <bdi>{term}</bdi>
              </li>
            ))}
          </ul>
        </li>
      ))}
      {others.length > 0 && (
        <li class="group only-order">
          <p class="group-head">Only for ranking</p>
          <ul class="chips">
            {others.flatMap(({ terms }) =>
              terms.map((term) => (
                <li class="term" key={term}>
                  <bdi>{term}</bdi>
                </li>
              )),
            )}
          </ul>
        </li>
      )}
    </ol>
  )
}

interface EditorProps {
  /** The terms of each group that will be searched. */
  groups: readonly (readonly string[])[]
  /** What each group is about, if known. */
  roles: readonly string[]
  onChange(groups: string[][]): void
}

/** The editable version. */
export function GroupsEditor({ groups, roles, onChange }: EditorProps) {
  const change = (at: number, terms: string[]) =>
    onChange(groups.map((group, place) => (place === at ? terms : [...group])))
  const remove = (at: number) => onChange(groups.filter((_, place) => place !== at).map((one) => [...one]))
  return (
    <>
      <ol class="groups">
        {groups.map((terms, at) => (
          <li class="group" key={at}>
            <GroupHead at={at} role={roles[at] ?? ''} />
            <Terms at={at} terms={terms} onChange={(next) => change(at, next)} />
            <button
              type="button"
              class="plain remove"
              aria-label={`Remove group ${at + 1}`}
              title="Remove this group"
              onClick={() => remove(at)}
            >
              ×
            </button>
          </li>
        ))}
      </ol>
      <button type="button" class="small" onClick={() => onChange([...groups.map((one) => [...one]), []])}>
        + Add a group
      </button>
    </>
  )
}

function GroupHead({ at, role }: { at: number; role: string }) {
  return (
    <p class="group-head">
      {at > 0 && <span class="and">and</span>} Group {at + 1}
      {role && <span class="role"> {plain(role)}</span>}
    </p>
  )
}

/** Enter and comma end a term; Backspace in the empty field moves the last term back into it. */
function Terms({
  at,
  terms,
  onChange,
}: {
  at: number
  terms: readonly string[]
  onChange: (terms: string[]) => void
}) {
  const [typed, setTyped] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const add = (text: string) => {
    const added = text.split(',').flatMap((part) => part.trim().replace(/\s+/g, ' ') || [])
    const known = new Set(terms.map((term) => term.toLowerCase()))
    const fresh = added.filter((term) => !known.has(term.toLowerCase()))
    if (fresh.length > 0) onChange([...terms, ...fresh])
    setTyped('')
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (
      (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && typed.trim() !== '') ||
      event.key === ','
    ) {
      event.preventDefault()
      add(typed)
    } else if (event.key === 'Backspace' && typed === '' && terms.length > 0) {
      event.preventDefault()
      setTyped(terms.at(-1) ?? '')
      onChange(terms.slice(0, -1))
    }
  }
  const remove = (term: string) => {
    onChange(terms.filter((one) => one !== term))
    // The button is gone; keep the focus in its group.
    field.current?.focus()
  }
  return (
    <ul class="chips">
      {terms.map((term) => (
        <li class="term asked" key={term}>
          <bdi>{term}</bdi>
          <button type="button" aria-label={`Remove ${term}`} onClick={() => remove(term)}>
            ×
          </button>
        </li>
      ))}
      <li class="term-field">
        <input
          ref={field}
          aria-label={`Add a term to group ${at + 1}`}
          placeholder={terms.length === 0 ? 'A term, then Enter' : 'or …'}
          autocomplete="off"
          maxLength={100}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={() => typed.trim() && add(typed)}
        />
      </li>
    </ul>
  )
}

export function LeftOutWords({ words }: { words: readonly LeftOut[] }) {
  if (words.length === 0) return null
  return (
    <p class="hint">
      Not searched:{' '}
      {words.map(({ word, reason }, at) => (
        <span key={word}>
          {at > 0 && '; '}
          <bdi>{word}</bdi>
          {reason && (
            <>
              {' '}
              (<bdi>{reason}</bdi>)
            </>
          )}
        </span>
      ))}
      .
    </p>
  )
}
