/** The form of one stage, which starts it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { StagecastError } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { type Draft, dropDraft, keepDraft, keyFor, newId, readDraft } from '../form/draft.ts'
import { FieldView, idOf } from '../form/field.tsx'
import { type Field, fieldsOf } from '../form/schema.ts'
import { sectionsOf } from '../form/sections.ts'
import { useStartKey } from '../form/start-key.ts'
import { useDocument } from '../form/use-document.ts'
import { type Faults, faultsOf, keyOf, toBody, type Values } from '../form/values.ts'
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { CONCEPTS, PREVIEW, QUERY, SearchEditor, withoutBlanks } from '../search/search-editor.tsx'
import { usePreview } from '../search/use-preview.ts'
import { links } from '../state/route.ts'

export function NewPage({ stage, workflow }: { stage: number; workflow: string }) {
  const { document, failure, again } = useDocument()
  const { stages } = useStages()
  const known = stages?.find((one) => one.stage === stage)
  const fields = document && fieldsOf(document, stage)
  if (failure) return <Failure text={failure} again={again} />
  if (!document || !stages) return <Loading what="the form" />
  if (!fields || !known) return <Failure text="Unknown stage." />
  return (
    <>
      <Heading above={`Stage ${stage}`}>{known.title}</Heading>
      {known.sign_off && (
        <p class="note">A person must sign off this stage's result before it counts as done.</p>
      )}
      {known.available === false ? (
        <p class="note">This stage is not available, because no stage service offers it.</p>
      ) : (
        <StageForm key={stage} stage={stage} fields={fields} workflow={workflow} />
      )}
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
  const looking = usePreview(stage)
  useEffect(() => {
    focusFirst(fields, faults)
  }, [faults, fields])
  useEffect(() => {
    if (looking.refused) setFaults(faultsOf(fields, looking.refused))
  }, [looking.refused, fields])

  const searches = hasSearch(fields)
  const ownFields = searches ? fields.filter((field) => keyOf(field) !== PREVIEW) : fields
  const change = (next: Draft) => {
    setDraft(next)
    keepDraft(stage, next)
  }
  const setValue = (field: Field) => (value: Values[string]) =>
    change({ ...draft, values: { ...draft.values, [keyOf(field)]: value } })
  const read = () => {
    const made = toBody(ownFields, draft.values)
    return { ...made, body: searches ? withoutBlanks(made.body) : made.body }
  }

  async function start(event: Event): Promise<void> {
    event.preventDefault()
    // A second click may come before the button is drawn as disabled.
    if (sending.current) return
    setFailure('')
    const made = read()
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

  useStartKey((event) => void start(event))

  function look(): void {
    const { body, faults: found } = read()
    setFaults(found)
    if (Object.keys(found).length === 0) looking.look(body)
  }

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
  const sources = draft.values['inputs/sources']
  return (
    <form class="form" noValidate onSubmit={(event) => void start(event)}>
      {ownFields.filter(({ path }) => path.length === 1).map(view)}
      {searches && (
        <SearchEditor
          values={draft.values}
          faults={faults}
          sources={Array.isArray(sources) ? sources.filter((name) => name !== 'crossref') : []}
          looking={looking}
          stale={looking.of !== JSON.stringify(read().body)}
          onChange={(values) => change({ ...draft, values })}
          onLook={look}
        />
      )}
      {sectionsOf(ownFields).map(({ title, fields: inside }) => (
        <section key={title} aria-labelledby={idOfSection(title)}>
          <h2 id={idOfSection(title)}>{title}</h2>
          <div class="columns">{inside.map(view)}</div>
        </section>
      ))}
      <div class={workflowFault ? 'field faulty' : 'field'}>
        <label for="field-workflow_id">Workflow</label>
        <p class="hint" id="field-workflow_id-hint">
          Stages with the same workflow ID belong together and can be watched on one page.
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
      <div class="actions start">
        <div role="alert">
          {(failure || faults['']) && <p class="alert">{failure || faults['']}</p>}
          {failure && <p class="hint">Starting again sends the same request, so nothing runs twice.</p>}
        </div>
        <button class="primary" type="submit" aria-disabled={busy}>
          {busy ? 'Starting…' : 'Start'}
        </button>
        <a class="button" href={links.stages}>
          Back to the stages
        </a>
        <span class="quiet keys">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> starts
        </span>
      </div>
    </form>
  )
}

const idOfSection = (title: string) => `section-${title.toLowerCase().replaceAll(' ', '-')}`

/** Whether the stage supports previews and groups: then they are edited as chips, not as JSON. */
function hasSearch(fields: readonly Field[]): boolean {
  return [PREVIEW, CONCEPTS, QUERY].every((key) => fields.some((field) => keyOf(field) === key))
}

function focusFirst(fields: readonly Field[], faults: Faults): void {
  const first = fields.find((field) => faults[keyOf(field)])
  const id = first ? idOf(first) : faults.workflow_id ? 'field-workflow_id' : ''
  if (id) document.getElementById(id)?.focus()
}
