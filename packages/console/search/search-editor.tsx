/**
 * How the question becomes a search, inside the form: as the service reads it, as groups that the researcher edits, or as
 * the researcher's own query; with a preview of the hits before anything starts.
 */
import { useState } from 'preact/hooks'
import { data, list, texts } from '../api/read.ts'
import type { Values } from '../form/values.ts'
import { Groups, GroupsEditor, LeftOutWords } from './groups.tsx'
import { OwnQuery, type OwnQueryValue } from './own-query.tsx'
import { PreviewView } from './preview-view.tsx'
import type { Concept, SourceQuery } from './read-preview.ts'
import type { Looking } from './use-preview.ts'

/** Where the parts of a search are kept in a form's values, as JSON. */
export const CONCEPTS = 'inputs/concepts'
export const QUERY = 'inputs/query'
export const PREVIEW = 'inputs/preview'

type Mode = 'question' | 'groups' | 'query'

interface SearchEditorProps {
  values: Values
  faults: Readonly<Record<string, string>>
  /** Names of the chosen sources; empty if the service chooses. */
  sources: readonly string[]
  looking: Looking
  /** Whether the form has changed since the preview. */
  stale: boolean
  onChange(values: Values): void
  onLook(): void
}

export function SearchEditor(props: SearchEditorProps) {
  const { values, faults, looking, stale, onChange, onLook } = props
  const [mode, setMode] = useState<Mode>(modeOf(values))
  const { preview } = looking
  const read = preview?.concepts.filter(({ required }) => required) ?? []
  const groups = groupsIn(values) ?? read.map(({ terms, synonyms }) => [...terms, ...synonyms])
  const sources = props.sources.length > 0 ? props.sources : (preview?.sources ?? [])

  const set = (next: Mode, parts: { groups?: string[][]; query?: OwnQueryValue }) => {
    setMode(next)
    const { [CONCEPTS]: _, [QUERY]: __, ...others } = values
    onChange({
      ...others,
      ...(parts.groups && { [CONCEPTS]: JSON.stringify(parts.groups) }),
      ...(parts.query !== undefined && { [QUERY]: JSON.stringify(parts.query) }),
    })
  }
  const take = ({ source, query }: SourceQuery) => {
    const before = queryIn(values)
    const others = typeof before === 'string' ? {} : before
    set('query', { query: sources.length > 1 ? { ...others, [source]: query } : query })
  }
  return (
    <section class="search-editor" aria-labelledby="search">
      <h2 id="search">Search</h2>
      <fieldset class="switch wide">
        <legend class="unseen">What is searched</legend>
        <ModeChoice mode={mode} own="question" onChoose={() => set('question', {})}>
          Terms from the question
        </ModeChoice>
        <ModeChoice mode={mode} own="groups" onChoose={() => set('groups', { groups })}>
          My groups of terms
        </ModeChoice>
        <ModeChoice mode={mode} own="query" onChoose={() => set('query', { query: queryIn(values) })}>
          My own query
        </ModeChoice>
      </fieldset>
      {mode === 'question' && <AsRead concepts={preview?.concepts ?? []} looked={preview !== null} />}
      {mode === 'question' && read.length > 0 && (
        <button type="button" class="small" onClick={() => set('groups', { groups })}>
          Edit these groups
        </button>
      )}
      {mode === 'groups' && (
        <>
          <p class="hint">A paper must match every group. Any term of a group is enough.</p>
          <GroupsEditor
            groups={groups.length > 0 ? groups : [[]]}
            roles={groups.length === read.length ? read.map(({ role }) => role) : []}
            onChange={(next) => set('groups', { groups: next })}
          />
          <p class="fault" role="alert">
            {faults[CONCEPTS] && `The groups: ${faults[CONCEPTS]}.`}
          </p>
        </>
      )}
      {mode === 'query' && (
        <OwnQuery
          value={queryIn(values)}
          sources={sources}
          fault={faults[QUERY]}
          onChange={(query) => set('query', { query })}
        />
      )}
      {preview && mode !== 'query' && <LeftOutWords words={preview.leftOut} />}
      <div class="row look">
        <button type="button" aria-disabled={looking.busy} onClick={() => looking.busy || onLook()}>
          {looking.busy ? 'Searching…' : preview ? 'Preview again' : 'Preview the search'}
        </button>
        <p class="hint" role="status">
          {looking.busy
            ? looking.message
            : preview
              ? stale && 'The form has changed. Preview again to see the new hits.'
              : 'Shows the groups and their hits in each source. No papers are read yet.'}
        </p>
      </div>
      {looking.failure && (
        <p class="alert" role="alert">
          <bdi>{looking.failure}</bdi>
        </p>
      )}
      {preview && (
        <div class={stale ? 'stale' : ''}>
          <PreviewView preview={preview} onTake={take} />
        </div>
      )}
    </section>
  )
}

function AsRead({ concepts, looked }: { concepts: readonly Concept[]; looked: boolean }) {
  if (looked) return <Groups concepts={concepts} />
  return (
    <p class="hint">The question is split into groups of terms. Preview the search to see and edit them.</p>
  )
}

function ModeChoice(props: { mode: Mode; own: Mode; onChoose: () => void; children: string }) {
  return (
    <label>
      <input type="radio" name="search-mode" checked={props.mode === props.own} onChange={props.onChoose} />
      {props.children}
    </label>
  )
}

function modeOf(values: Values): Mode {
  if (read(values[QUERY]) !== undefined) return 'query'
  return groupsIn(values) ? 'groups' : 'question'
}

function groupsIn(values: Values): string[][] | null {
  const value = read(values[CONCEPTS])
  return Array.isArray(value) ? value.map((group) => texts(list(group))) : null
}

function queryIn(values: Values): OwnQueryValue {
  const value = read(values[QUERY])
  if (value === undefined || typeof value === 'string') return value ?? ''
  return Object.fromEntries(Object.entries(Object(value)).map(([source, text]) => [source, String(text)]))
}

function read(json: Values[string] | undefined): unknown {
  if (typeof json !== 'string' || json.trim() === '') return undefined
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** The body to send, without empty groups and queries. */
export function withoutBlanks(body: Record<string, unknown>): Record<string, unknown> {
  const { concepts, query, ...inputs } = data(body.inputs)
  const groups = list(concepts).flatMap((group) => (texts(group).length > 0 ? [texts(group)] : []))
  const queries = Object.entries(data(query)).filter(([, text]) => String(text).trim() !== '')
  const own =
    typeof query === 'string' ? query.trim() && query : queries.length > 0 && Object.fromEntries(queries)
  const kept = { ...inputs, ...(groups.length > 0 && { concepts: groups }), ...(own && { query: own }) }
  const { inputs: _, ...others } = body
  return Object.keys(kept).length > 0 ? { ...others, inputs: kept } : others
}
