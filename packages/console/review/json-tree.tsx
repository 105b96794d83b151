/** JSON as a tree that unfolds. Every name and value is text, and only what is unfolded is drawn. */
import { useState } from 'preact/hooks'
import { ExactNumber } from './read-file.ts'

/** Members drawn at a time. */
const AT_ONCE = 100
/** Characters of a text before it is cut. */
const LONG = 1000
const IN_SHORT = 90

type Members = readonly (readonly [string, unknown])[]

export function JsonTree({ value, label }: { value: unknown; label: string }) {
  const members = membersOf(value)
  return (
    <section class="tree" aria-label={label} tabIndex={0}>
      {members ? <Inside members={members} /> : <Scalar value={value} />}
    </section>
  )
}

function Inside({ members }: { members: Members }) {
  const [shown, setShown] = useState(AT_ONCE)
  if (members.length === 0) return <span class="quiet">empty</span>
  return (
    <ul>
      {members.slice(0, shown).map(([name, value]) => (
        <li key={name}>
          <Member name={name} value={value} />
        </li>
      ))}
      {members.length > shown && (
        <li>
          <button type="button" class="small" onClick={() => setShown(shown + AT_ONCE)}>
            Show {Math.min(AT_ONCE, members.length - shown)} more of {members.length}
          </button>
        </li>
      )}
    </ul>
  )
}

function Member({ name, value }: { name: string; value: unknown }) {
  const [open, setOpen] = useState(false)
  const members = membersOf(value)
  if (!members) {
    return (
      <>
        <Name name={name} /> <Scalar value={value} />
      </>
    )
  }
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} /> <span class="quiet">{inShort(value, members)}</span>
      </summary>
      {open && <Inside members={members} />}
    </details>
  )
}

function Name({ name }: { name: string }) {
  return (
    <span class="key">
      <bdi>{name}</bdi>
    </span>
  )
}

function Scalar({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false)
  if (typeof value !== 'string') return <span class="scalar">{scalarText(value)}</span>
  const cut = !whole && value.length > LONG
  return (
    <>
      <bdi class="string">{cut ? `${value.slice(0, LONG)}…` : value || '""'}</bdi>
      {cut && (
        <button type="button" class="small" onClick={() => setWhole(true)}>
          Show all {value.length} characters
        </button>
      )}
    </>
  )
}

function membersOf(value: unknown): Members | null {
  if (Array.isArray(value)) return value.map((one, at) => [String(at), one])
  const isObject = typeof value === 'object' && value !== null && !(value instanceof ExactNumber)
  return isObject ? Object.entries(value) : null
}

function scalarText(value: unknown): string {
  return value instanceof ExactNumber ? value.source : String(value)
}

/** How many there are, and the first that say something. */
function inShort(value: unknown, members: Members): string {
  const isList = Array.isArray(value)
  const count = `${members.length} ${isList ? 'in a list' : members.length === 1 ? 'member' : 'members'}`
  const parts = members.slice(0, 8).flatMap(([name, one]) => {
    if (membersOf(one) || one === null || one === '') return []
    const text = typeof one === 'string' ? one.slice(0, IN_SHORT) : scalarText(one)
    return [isList ? text : `${name}: ${text}`]
  })
  const text = parts.join(' · ')
  return `${count}${text && ' · '}${text.length > IN_SHORT ? `${text.slice(0, IN_SHORT)}…` : text}`
}
