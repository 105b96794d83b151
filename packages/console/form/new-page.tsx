/** The form of one stage, and starting it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { StagecastError } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { links } from '../page/route.ts'
import { useStages } from '../page/stages.ts'
import { type Draft, dropDraft, keepDraft, keyFor, newId, readDraft } from './draft.ts'
import { FieldView, idOf } from './field.tsx'
import { type Field, fieldsOf } from './schema.ts'
import { useDocument } from './use-document.ts'
import { type Faults, faultsOf, keyOf, toBody, type Values } from './values.ts'

export function NewPage({ stage, workflow }: { stage: number; workflow: string }) {
  const { document, failure, again } = useDocument()
  const { stages } = useStages()
  const known = stages?.find((one) => one.stage === stage)
  const fields = document && fieldsOf(document, stage)
  if (failure) return <Failure text={failure} again={again} />
  if (!document || !stages) return <Loading what="the form" />
  if (!fields || !known) return <Failure text="There is no such stage." />
  return (
    <>
      <Heading above={`Stage ${stage}`}>{known.title}</Heading>
      {known.sign_off && (
        <p class="note">A person signs off before the result of this stage counts as done.</p>
      )}
      <StageForm key={stage} stage={stage} fields={fields} workflow={workflow} />
    </>
  )
}

function StageForm({ stage, fields, workflow }: { stage: number; fields: Field[]; workflow: string }) {
  const [draft, setDraft] = useState<Draft>(() => {
    const kept = readDraft(stage)
    return { values: {}, ...kept, workflow: workflow || kept?.workflow || newId() }
  })
  const [faults, setFaults] = useState<Faults>({})
  const [failure, setFailure] = useState('')
  const [busy, setBusy] = useState(false)
  const sending = useRef(false)
  useEffect(() => {
    focusFirst(fields, faults)
  }, [faults, fields])

  const change = (next: Draft) => {
    setDraft(next)
    keepDraft(stage, next)
  }
  const setValue = (field: Field) => (value: Values[string]) =>
    change({ ...draft, values: { ...draft.values, [keyOf(field)]: value } })

  async function start(event: Event): Promise<void> {
    event.preventDefault()
    // A second click comes before the button is drawn as disabled.
    if (sending.current) return
    setFailure('')
    const made = toBody(fields, draft.values)
    setFaults(made.faults)
    if (Object.keys(made.faults).length > 0) return
    const body = { workflow_id: draft.workflow.trim(), ...made.body }
    const text = JSON.stringify(body)
    const key = keyFor(text, draft.sent)
    change({ ...draft, sent: { body: text, key } })
    sending.current = true
    setBusy(true)
    try {
      const job = await stagecast.execute(stage, body, { idempotencyKey: key })
      dropDraft(stage)
      location.hash = links.job(job)
    } catch (error) {
      const errors = error instanceof StagecastError ? error.problem.errors : undefined
      if (errors) setFaults(faultsOf(fields, errors))
      else setFailure(tellFailure(error))
      sending.current = false
      setBusy(false)
    }
  }

  const [main, options] = [
    fields.filter(({ path }) => path.length === 1),
    fields.filter(({ path }) => path.length > 1),
  ]
  const view = (field: Field) => (
    <FieldView
      key={keyOf(field)}
      field={field}
      value={draft.values[keyOf(field)]}
      fault={faults[keyOf(field)]}
      onChange={setValue(field)}
    />
  )
  const workflowFault = faults.workflow_id
  return (
    <form class="form" noValidate onSubmit={(event) => void start(event)}>
      {main.map(view)}
      {options.length > 0 && (
        <section aria-labelledby="options">
          <h2 id="options">Options</h2>
          <div class="columns">{options.map(view)}</div>
        </section>
      )}
      <div class={workflowFault ? 'field faulty' : 'field'}>
        <label for="field-workflow_id">Workflow</label>
        <p class="hint" id="field-workflow_id-hint">
          Stages with the same workflow id belong together and can be watched on one page.
        </p>
        <input
          id="field-workflow_id"
          class="code"
          autocomplete="off"
          spellcheck={false}
          value={draft.workflow}
          aria-describedby="field-workflow_id-hint field-workflow_id-fault"
          aria-invalid={workflowFault ? 'true' : 'false'}
          onInput={(event) => change({ ...draft, workflow: event.currentTarget.value })}
        />
        <p class="fault" id="field-workflow_id-fault">
          {workflowFault && `Workflow ${workflowFault}.`}
        </p>
      </div>
      <div role="alert">
        {(failure || faults['']) && <p class="alert">{failure || faults['']}</p>}
        {failure && <p class="hint">Nothing runs twice when you start it again: it is the same request.</p>}
      </div>
      <div class="actions">
        <button class="primary" type="submit" aria-disabled={busy}>
          {busy ? 'Starting…' : 'Start'}
        </button>
        <a class="button" href={links.stages}>
          Back to the stages
        </a>
      </div>
    </form>
  )
}

function focusFirst(fields: readonly Field[], faults: Faults): void {
  const first = fields.find((field) => faults[keyOf(field)])
  const id = first ? idOf(first) : faults.workflow_id ? 'field-workflow_id' : ''
  if (id) document.getElementById(id)?.focus()
}
