/** The filters of the list of jobs. They are part of the address, so a filtered list can be shared. */
import { useEffect, useState } from 'preact/hooks'
import { isAdmin, session } from '../api/session.ts'
import { useStages } from '../page/stages.ts'
import { type Filter, links } from '../state/route.ts'
import { useStore } from '../state/store.ts'
import { STATUSES } from './use-jobs.ts'

/** How long after the last letter a search begins. */
const PAUSE_MS = 300

export function JobFilters({ filter, refresh }: { filter: Filter; refresh: () => void }) {
  const { stages } = useStages()
  const who = useStore(session)
  const choose = (name: keyof Filter) => (value: string) => {
    // Letters of a search are not pages to go back to.
    const to = links.filtered({ ...filter, [name]: value.trim() })
    if (to !== location.hash) location.replace(to)
  }
  const select = (name: keyof Filter) => (event: { currentTarget: { value: string } }) => {
    location.hash = links.filtered({ ...filter, [name]: event.currentTarget.value })
  }
  return (
    <search class="filters">
      <Typed label="Search" hint="question or ID" value={filter.search ?? ''} onChange={choose('search')} />
      <label>
        Stage
        <select value={filter.stage ?? ''} onChange={select('stage')}>
          <option value="">all</option>
          {stages?.map(({ stage, title }) => (
            <option key={stage} value={String(stage)}>
              {stage} · {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        Status
        <select value={filter.status ?? ''} onChange={select('status')}>
          <option value="">all</option>
          {STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </label>
      {isAdmin(who) && (
        <Typed label="Owner" hint="all users" value={filter.owner ?? ''} onChange={choose('owner')} />
      )}
      {filter.workflow_id && (
        <span class="chip">
          of workflow{' '}
          <a class="code" href={links.workflow(filter.workflow_id)} title="See this workflow">
            {filter.workflow_id.slice(0, 8)}
          </a>{' '}
          <a href={links.filtered({ ...filter, workflow_id: '' })} aria-label="Show all workflows">
            show all
          </a>
        </span>
      )}
      <button type="button" onClick={refresh}>
        Refresh
      </button>
    </search>
  )
}

interface TypedProps {
  label: string
  hint: string
  value: string
  onChange: (value: string) => void
}

/** A filter that is typed. It acts on Enter, or when the typing pauses. */
function Typed({ label, hint, value, onChange }: TypedProps) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text.trim() === value) return
    const timer = setTimeout(() => onChange(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class={label.toLowerCase()}>
      {label}
      <input
        type="search"
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onChange(text)
        }}
      />
    </label>
  )
}
