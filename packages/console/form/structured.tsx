/** A field for a value with an inside: groups, rows, entries by name. Its JSON is written for the user. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { linesOf, NAME, oneOrEach, type Row, rowsOf, textOfEach, textOfLines, textOfRows } from './rows.ts'
import { type Field, words } from './schema.ts'
import type { Part, Structure } from './structure.ts'

interface Props<S extends Structure> {
  field: Field
  id: string
  structure: S
  /** As the form keeps it. */
  text: string
  onChange: (text: string) => void
}
type Of<Kind extends Structure['kind']> = Extract<Structure, { kind: Kind }>

/** Whether it can show this text; what it cannot show is edited as JSON. */
export function canShow(structure: Structure, text: string): boolean {
  if (structure.kind === 'groups') return linesOf(text) !== null
  return structure.kind === 'each' || rowsOf(structure, text) !== null
}

export function Structured(props: Props<Structure>) {
  const { structure } = props
  switch (structure.kind) {
    case 'groups':
      return <GroupLines {...props} structure={structure} />
    case 'each':
      return <Each {...props} structure={structure} />
    case 'rows':
    case 'entries':
      return <Rows {...props} structure={structure} />
  }
}

/** The text as typed, which may be incomplete. It is reset when something else changes the form's value. */
function useTyped<T>(text: string, read: (text: string) => T, write: (typed: T) => string) {
  const [typed, setTyped] = useState<T>(() => read(text))
  const sent = useRef(text)
  useEffect(() => {
    if (text === sent.current) return
    sent.current = text
    setTyped(read(text))
  }, [text])
  return {
    typed,
    /** Returns the text to keep. */
    type(next: T): string {
      setTyped(next)
      sent.current = write(next)
      return sent.current
    },
  }
}

function GroupLines({ field, id, text, onChange }: Props<Of<'groups'>>) {
  const { typed, type } = useTyped(text, (kept) => linesOf(kept) ?? '', textOfLines)
  return (
    <textarea
      rows={3}
      aria-label={field.label}
      aria-describedby={`${id}-hint ${id}-fault`}
      value={typed}
      onInput={(event) => onChange(type(event.currentTarget.value))}
    />
  )
}

function Each({ field, id, structure: { names }, text, onChange }: Props<Of<'each'>>) {
  const { typed, type } = useTyped(text, oneOrEach, textOfEach)
  const isEach = typeof typed !== 'string'
  const first = isEach ? (Object.values(typed).find((one) => one.trim()) ?? '') : typed
  return (
    <>
      <fieldset class="switch">
        <legend class="unseen">One {field.label.toLowerCase()}, or several</legend>
        <label>
          <input type="radio" name={`${id}-each`} checked={!isEach} onChange={() => onChange(type(first))} />
          One for all
        </label>
        <label>
          <input
            type="radio"
            name={`${id}-each`}
            checked={isEach}
            onChange={() => isEach || onChange(type(Object.fromEntries(names.map((name) => [name, typed]))))}
          />
          One for each
        </label>
      </fieldset>
      {isEach ? (
        names.map((name) => (
          <label class="labelled" key={name}>
            {words(name)}
            <textarea
              rows={2}
              spellcheck={false}
              value={typed[name] ?? ''}
              onInput={(event) => onChange(type({ ...typed, [name]: event.currentTarget.value }))}
            />
          </label>
        ))
      ) : (
        <textarea
          rows={3}
          spellcheck={false}
          aria-label={field.label}
          aria-describedby={`${id}-hint ${id}-fault`}
          value={typed}
          onInput={(event) => onChange(type(event.currentTarget.value))}
        />
      )}
    </>
  )
}

/** Made elsewhere, at the papers: here they are seen and changed. */
const MADE_ELSEWHERE: Readonly<Record<string, { name: string; none: string }>> = {
  decisions: {
    name: 'Paper',
    none: 'No decisions yet. Include or exclude papers on the page of a review. The decisions then appear here.',
  },
}

function Rows({ field, structure, text, onChange }: Props<Of<'rows' | 'entries'>>) {
  const isText = structure.kind === 'rows' && structure.text !== null
  const read = (kept: string): Row[] => {
    const rows = rowsOf(structure, kept) ?? []
    return rows.length === 0 && isText ? [{}] : rows
  }
  const { typed: rows, type } = useTyped(text, read, (typed) => textOfRows(structure, typed))
  const set = (next: Row[]) => onChange(type(next))
  const elsewhere = MADE_ELSEWHERE[field.path.at(-1) ?? '']
  return (
    <>
      {rows.length > 0 && (
        <ol class="rows">
          {rows.map((row, at) => (
            <li key={at}>
              {structure.kind === 'entries' && (
                <label class="labelled">
                  {elsewhere?.name ?? 'Name'}
                  <input
                    autocomplete="off"
                    readOnly={elsewhere !== undefined}
                    value={String(row[NAME] ?? '')}
                    onInput={(event) => set(withMember(rows, at, NAME, event.currentTarget.value))}
                  />
                </label>
              )}
              {structure.parts.map((part) => (
                <Member
                  key={part.name}
                  part={part}
                  value={row[part.name]}
                  onChange={(value) => set(withMember(rows, at, part.name, value))}
                />
              ))}
              {/* A first row that is always there has nothing to remove. */}
              {!(isText && rows.length === 1 && Object.keys(row).length === 0) && (
                <button
                  type="button"
                  class="plain small"
                  aria-label={`Remove ${row[NAME] || `row ${at + 1}`}`}
                  onClick={() => set(rows.filter((_, place) => place !== at))}
                >
                  Remove
                </button>
              )}
            </li>
          ))}
        </ol>
      )}
      {elsewhere !== undefined ? (
        rows.length === 0 && <p class="quiet">{elsewhere.none}</p>
      ) : (
        <button type="button" class="small" onClick={() => set([...rows, {}])}>
          + Add {rows.length > 0 ? 'another' : 'one'}
        </button>
      )}
    </>
  )
}

function withMember(rows: readonly Row[], at: number, name: string, value: string | boolean): Row[] {
  return rows.map((row, place) => (place === at ? { ...row, [name]: value } : row))
}

interface MemberProps {
  part: Part
  value: string | boolean | undefined
  onChange: (value: string | boolean) => void
}

function Member({ part: { name, kind, required, options, schema }, value, onChange }: MemberProps) {
  const id = useId()
  const label = schema.title ?? words(name)
  if (kind === 'flag')
    return (
      <label class="choice">
        <input
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        {label}
      </label>
    )
  const common = {
    id,
    value: typeof value === 'string' ? value : '',
    onInput: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  }
  return (
    <div class={kind === 'long-text' ? 'labelled long' : 'labelled'}>
      <label for={id}>
        {label}
        {!required && <span class="quiet"> optional</span>}
      </label>
      {kind === 'choice' ? (
        <select {...common}>
          <option value="">not set</option>
          {options.map((option) => (
            <option key={option} value={option}>
              {words(option)}
            </option>
          ))}
        </select>
      ) : kind === 'long-text' ? (
        <textarea {...common} rows={4} spellcheck={false} />
      ) : (
        <input {...common} autocomplete="off" inputMode={kind === 'number' ? 'decimal' : 'text'} />
      )}
    </div>
  )
}
