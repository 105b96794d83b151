/** A form field with its label, its hint and its error. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { type Field, words } from './schema.ts'
import { structureOf } from './structure.ts'
import { canShow, Structured } from './structured.tsx'
import { keyOf, type Values } from './values.ts'

export interface FieldProps {
  field: Field
  value: Values[string] | undefined
  fault: string | undefined
  onChange: (value: Values[string]) => void
}

/** With more options than this, use the whole width. */
const MANY = 6

/** The ID of the element to focus when the field has an error. */
export const idOf = (field: Pick<Field, 'path'>): string => `field-${keyOf(field).replaceAll('/', '-')}`

export function FieldView(props: FieldProps) {
  const { field } = props
  if (field.kind === 'choices') return <Choices {...props} />
  if (field.kind === 'flag') return <Flag {...props} />
  if (field.kind === 'json') return <Inner {...props} />
  return <Labelled {...props} />
}

function Labelled(props: FieldProps) {
  const { field, fault } = props
  return (
    <div class={fault ? 'field faulty' : 'field'}>
      <label for={idOf(field)}>
        {field.label}
        {!field.required && <span class="quiet"> optional</span>}
      </label>
      <Hint field={field} />
      <Input {...props} />
      <Fault field={field} fault={fault} />
    </div>
  )
}

/** A value with an inside. Without a known structure, or with a value that does not fit it, it is typed as JSON. */
function Inner(props: FieldProps) {
  const { field, value, fault, onChange } = props
  const structure = structureOf(field.schema)
  const text = typeof value === 'string' ? value : ''
  const [isShown] = useState(() => structure !== null && canShow(structure, text))
  const id = idOf(field)
  if (!structure || !isShown) return <Labelled {...props} />
  return (
    <fieldset
      class={fault ? 'field wide faulty' : 'field wide'}
      id={id}
      tabIndex={-1}
      aria-describedby={`${id}-hint ${id}-fault`}
    >
      <legend>
        {field.label}
        {!field.required && <span class="quiet"> optional</span>}
      </legend>
      <Hint field={field} />
      <Structured field={field} id={id} structure={structure} text={text} onChange={onChange} />
      <Fault field={field} fault={fault} />
    </fieldset>
  )
}

function Input({ field, value, fault, onChange }: FieldProps) {
  const common = {
    id: idOf(field),
    value: typeof value === 'string' ? value : '',
    'aria-describedby': `${idOf(field)}-hint ${idOf(field)}-fault`,
    'aria-invalid': fault ? ('true' as const) : ('false' as const),
    'aria-required': field.required,
    onInput: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  }
  if (field.kind === 'long-text') return <textarea {...common} rows={4} />
  if (field.kind === 'lines') return <textarea {...common} rows={3} />
  if (field.kind === 'json')
    return <textarea {...common} class="code" rows={6} spellcheck={false} placeholder={emptyOf(field)} />
  if (field.kind === 'number')
    return <input {...common} class="short" inputMode="numeric" autocomplete="off" />
  if (field.kind === 'choice')
    return (
      <select {...common}>
        <option value="">not set</option>
        {field.options.map((option) => (
          <option key={option} value={option}>
            {words(option)}
          </option>
        ))}
      </select>
    )
  const short = field.schema.maxLength === undefined && field.schema.minLength === undefined
  return <input {...common} class={short ? 'short' : ''} autocomplete="off" />
}

function emptyOf({ schema: { type, anyOf } }: Field): string {
  return anyOf ? '' : type === 'array' ? '[ ]' : '{ }'
}

function Choices({ field, value, fault, onChange }: FieldProps) {
  const chosen = Array.isArray(value) ? value : []
  const toggle = (option: string, on: boolean) =>
    onChange(field.options.filter((one) => (one === option ? on : chosen.includes(one))))
  return (
    <fieldset
      class={`field${fault ? ' faulty' : ''}${field.options.length > MANY ? ' wide' : ''}`}
      id={idOf(field)}
      tabIndex={-1}
      aria-describedby={`${idOf(field)}-hint ${idOf(field)}-fault`}
    >
      <legend>
        {field.label}
        {!field.required && <span class="quiet"> optional</span>}
      </legend>
      <Hint field={field} />
      <div class="choices">
        {field.options.map((option) => (
          <label key={option} class="choice">
            <input
              type="checkbox"
              checked={chosen.includes(option)}
              onChange={(event) => toggle(option, event.currentTarget.checked)}
            />
            {words(option)}
          </label>
        ))}
      </div>
      <Fault field={field} fault={fault} />
    </fieldset>
  )
}

function Flag({ field, value, fault, onChange }: FieldProps) {
  const on = typeof value === 'boolean' ? value : field.schema.default === true
  return (
    <div class={fault ? 'field faulty' : 'field'}>
      <label class="choice">
        <input
          id={idOf(field)}
          type="checkbox"
          checked={on}
          aria-describedby={`${idOf(field)}-hint ${idOf(field)}-fault`}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        {field.label}
      </label>
      <Hint field={field} />
      <Fault field={field} fault={fault} />
    </div>
  )
}

function Hint({ field }: { field: Field }) {
  return (
    <Note id={`${idOf(field)}-hint`} kind="hint">
      {field.hint}
    </Note>
  )
}

function Fault({ field, fault }: { field: Field; fault: string | undefined }) {
  return (
    <Note id={`${idOf(field)}-fault`} kind="fault">
      {fault && `${field.label} ${fault}.`}
    </Note>
  )
}

/** Always present, so that `aria-describedby` has a target; takes no room when empty. */
function Note({ id, kind, children }: { id: string; kind: string; children: ComponentChildren }) {
  return (
    <p id={id} class={kind}>
      {children}
    </p>
  )
}
