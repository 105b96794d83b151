/** The question of a newcomer, and the stages that it would go through: leads to the plan of a workflow. */
import { useEffect, useState } from 'preact/hooks'
import type { Stage } from '../../../contract/catalogue.ts'
import { newId } from '../form/draft.ts'
import { FieldView, idOf } from '../form/field.tsx'
import { type Faults, keyOf, type Values } from '../form/values.ts'
import { keepRunDraft } from '../run/run-draft.ts'
import { QUESTION, usual } from '../run/run-fields.ts'
import { links } from '../state/route.ts'
import { Note } from './note.tsx'

const FIELD = {
  ...QUESTION,
  label: 'Your question',
  hint: 'For example: What are the effects of intermittent fasting on cardiovascular health?',
}

export function AskForm({ stages }: { stages: readonly Stage[] }) {
  const [values, setValues] = useState<Values>({})
  const [faults, setFaults] = useState<Faults>({})
  const way = stages.filter(({ stage }) => usual(stages).includes(stage))
  useEffect(() => {
    if (faults[keyOf(FIELD)]) document.getElementById(idOf(FIELD))?.focus()
  }, [faults])

  function ask(event: Event): void {
    event.preventDefault()
    const typed = values[keyOf(FIELD)]
    const isShort = typeof typed !== 'string' || typed.trim().length < (FIELD.schema.minLength ?? 0)
    setFaults(isShort ? { [keyOf(FIELD)]: `needs at least ${FIELD.schema.minLength} characters` } : {})
    if (isShort) return
    keep(way.length > 0)
    location.hash = links.newRun()
  }

  function keep(plan: boolean): void {
    keepRunDraft('', { id: newId(), values, chosen: null, rerun: [], plan })
  }

  return (
    <form
      class="ask card"
      noValidate
      onSubmit={ask}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) ask(event)
      }}
    >
      <FieldView
        field={FIELD}
        value={values[keyOf(FIELD)]}
        fault={faults[keyOf(FIELD)]}
        onChange={(value) => {
          setValues({ [keyOf(FIELD)]: value })
          setFaults({})
        }}
      />
      {way.length > 0 && (
        <ol class="way" aria-label="Stages of the workflow">
          {way.map(({ stage, title, sign_off }) => (
            <li key={stage}>
              <span class="number">{stage}</span> {title}
              {sign_off && <span class="quiet"> · you sign off</span>}
            </li>
          ))}
        </ol>
      )}
      {way.map(
        ({ stage, title, note }) => note && <Note key={stage} stage={stage} title={title} note={note} />,
      )}
      <div class="actions">
        <button class="primary" type="submit">
          {way.length > 0 ? 'Show the plan' : 'Choose the stages'}
        </button>
        <a class="button" href={links.newRun()} onClick={() => values[keyOf(FIELD)] && keep(false)}>
          Choose stages and options
        </a>
      </div>
    </form>
  )
}
