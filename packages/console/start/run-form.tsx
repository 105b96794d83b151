/** The form of a run: the question, the stages with their options, the plan, the start. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Stage } from '../../../contract/catalogue.ts'
import { type RunPlan, type RunRequest, StagecastError } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { keyFor } from '../form/draft.ts'
import { FieldView, idOf } from '../form/field.tsx'
import { type Field, type OpenApi, words } from '../form/schema.ts'
import { type Faults, faultsOf, keyOf, toBody, type Values } from '../form/values.ts'
import { titleOf } from '../page/stages.ts'
import type { LastRun } from '../run/last-run.ts'
import { PlanView } from '../run/plan-view.tsx'
import { dropRunDraft } from '../run/run-draft.ts'
import { inputsOf, QUESTION, STAGES, usual, withNeeds } from '../run/run-fields.ts'
import { listed } from '../run/words.ts'
import { links } from '../state/route.ts'
import { StageChoice } from './stage-choice.tsx'
import { useRunDraft } from './use-run-draft.ts'

interface RunFormProps {
  document: OpenApi
  stages: readonly Stage[]
  workflow: string
  stage: number | null
  last: LastRun
}

export function RunForm({ document: openApi, stages, workflow, stage: wanted, last }: RunFormProps) {
  const { draft, change, discard: forget, isChanged } = useRunDraft(workflow, wanted, last, stages)
  const { id, values, rerun } = draft
  const chosen = draft.chosen ?? usual(stages)
  const [faults, setFaults] = useState<Faults>({})
  const [failure, setFailure] = useState('')
  /** The plan, and the request that it is the answer to. */
  const [planned, setPlanned] = useState<{ of: string; plan: RunPlan } | null>(null)
  const [busy, setBusy] = useState(false)
  const sending = useRef(false)
  /** Bring the plan into sight when it is there: it may be far below. */
  const toPlan = useRef(false)
  const discard = () => {
    forget()
    setPlanned(null)
    setFaults({})
    setFailure('')
  }

  const inOrder = stages.filter(({ stage }) => chosen.includes(stage)).map(({ stage }) => stage)
  const inputs = inOrder.map((stage) => ({ stage, fields: inputsOf(openApi, stage) }))
  const fields = [QUESTION, STAGES, ...inputs.flatMap((one) => one.fields)]
  const read = (again = rerun) => {
    const { body, faults: found } = toBody([QUESTION, ...inputs.flatMap((one) => one.fields)], values)
    const runAgain = again.filter((stage) => chosen.includes(stage))
    const request = {
      stages: inOrder,
      ...body,
      ...(runAgain.length > 0 && { rerun: runAgain }),
    } as RunRequest
    return { request, faults: found }
  }
  const isCurrent = planned?.of === JSON.stringify(read().request)

  useEffect(() => {
    const first = fields.find((field) => faults[keyOf(field)])
    if (first) document.getElementById(idOf(first))?.focus()
  }, [faults])

  useEffect(() => {
    const heading = document.getElementById('plan')
    if (!toPlan.current || !heading) return
    toPlan.current = false
    // After a question on the first page the focus is outside the form, where Ctrl+Enter does not start.
    if (!heading.closest('form')?.contains(document.activeElement)) heading.focus()
    heading.scrollIntoView({ block: 'start' })
  }, [planned])

  /** Sends a request unless one is under way or the form has faults, and shows what is wrong with it. */
  async function send(again: readonly number[], ask: (request: RunRequest) => Promise<void>): Promise<void> {
    if (sending.current) return
    setFailure('')
    const { request, faults: found } = read(again)
    const all = { ...found, ...stageFaults(inOrder, stages) }
    setFaults(all)
    if (Object.keys(all).length > 0) return
    sending.current = true
    setBusy(true)
    try {
      await ask(request)
    } catch (error) {
      const errors = error instanceof StagecastError ? error.problem.errors : undefined
      if (errors) setFaults(faultsOf(fields, errors))
      else setFailure(tellFailure(error))
    }
    sending.current = false
    setBusy(false)
  }

  const plan = (again = rerun) =>
    send(again, async (request) => {
      const found = await stagecast.runs.plan(id, request)
      if (!isCurrent) toPlan.current = true
      setPlanned({ of: JSON.stringify(request), plan: found })
    })

  const start = () =>
    send(rerun, async (request) => {
      const body = JSON.stringify(request)
      const sent = { body, key: keyFor(body, draft.sent) }
      change({ sent })
      await stagecast.runs.start(id, request, { idempotencyKey: sent.key })
      dropRunDraft(workflow)
      location.hash = links.workflow(id)
    })

  useEffect(() => {
    if (!draft.plan) return
    change({ plan: false })
    void plan()
  }, [])

  const proceed = (event: Event) => {
    event.preventDefault()
    void (isCurrent ? start() : plan())
  }
  const view = (field: (typeof fields)[number]) => (
    <FieldView
      key={keyOf(field)}
      field={field}
      value={values[keyOf(field)]}
      fault={faults[keyOf(field)]}
      onChange={(value) => change({ values: { ...values, [keyOf(field)]: value } })}
    />
  )
  return (
    <form
      class="form"
      noValidate
      onSubmit={proceed}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) proceed(event)
      }}
    >
      {view(QUESTION)}
      <StageChoice
        stages={stages}
        chosen={chosen}
        fault={faults.stages}
        onChange={(stage, on) =>
          change({
            chosen: on ? withNeeds(chosen, stage, stages) : chosen.filter((one) => one !== stage),
          })
        }
      />
      <div class="options">
        {inputs.map(({ stage, fields: inside }) => {
          if (inside.length === 0) return null
          const description = stages.find((one) => one.stage === stage)?.description
          const isWrong = inside.some((field) => faults[keyOf(field)])
          const isSet = (field: Field) => {
            const value = values[keyOf(field)]
            return Array.isArray(value)
              ? value.length > 0
              : value !== undefined && value !== '' && value !== false
          }
          return (
            <details key={stage} class="fold" open={isWrong || undefined}>
              <summary>
                <h2>
                  Options of stage {stage}: {titleOf([...stages], stage)}
                </h2>
                <OptionsInShort
                  set={inside.filter(isSet)}
                  others={inside.filter((one) => !isSet(one))}
                  values={values}
                />
              </summary>
              {description && <p class="hint">{description}</p>}
              <div class="columns">{inside.map(view)}</div>
            </details>
          )
        })}
      </div>
      {planned && (isCurrent || busy) && (
        <PlanView
          steps={planned.plan.steps}
          rerun={rerun}
          isStale={!isCurrent}
          approvals={last.approvals}
          ownSources={inputs
            .filter(({ stage }) => isChosen(values[`inputs/${stage}/sources`]))
            .map(({ stage }) => stage)}
          onRerun={(next) => {
            change({ rerun: next })
            void plan(next)
          }}
        />
      )}
      <div role="alert">{(failure || faults['']) && <p class="alert">{failure || faults['']}</p>}</div>
      <div class="actions start">
        <button class="primary" type="submit" aria-disabled={busy}>
          {isCurrent ? (busy ? 'Starting…' : 'Start') : busy ? 'Planning…' : 'Show the plan'}
        </button>
        <a class="button" href={workflow ? links.workflow(workflow) : links.stages}>
          {workflow ? 'Back to the workflow' : 'Back to the stages'}
        </a>
        {isChanged && (
          <button type="button" onClick={discard}>
            Discard changes
          </button>
        )}
        <span class="quiet keys">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> {isCurrent ? 'starts' : 'shows the plan'}
        </span>
      </div>
    </form>
  )
}

const isChosen = (value: Values[string] | undefined) => Array.isArray(value) && value.length > 0

/** On folded options: what is set, and what else is inside. */
function OptionsInShort({ set, others, values }: { set: Field[]; others: Field[]; values: Values }) {
  const shown = (value: Values[string] | undefined) =>
    value === true
      ? ''
      : ` ${(
          typeof value === 'string'
            ? value
            : [value]
                .flat()
                .map((one) => words(String(one)))
                .join(', ')
        ).slice(0, 60)}`
  return (
    <span class="inside quiet">
      {set.map((field, at) => (
        <span key={keyOf(field)}>
          {at > 0 && ', '}
          <strong>
            {field.label}
            {field.kind !== 'json' && <bdi>{shown(values[keyOf(field)])}</bdi>}
          </strong>
        </span>
      ))}
      {set.length > 0 && others.length > 0 && ' · '}
      {others.map(({ label }) => label).join(', ')}
    </span>
  )
}

/** What is wrong with the choice of stages. */
function stageFaults(chosen: readonly number[], stages: readonly Stage[]): Faults {
  if (chosen.length === 0) return { stages: 'are required: choose at least one' }
  const unserved = stages.filter(({ stage, available }) => chosen.includes(stage) && available === false)
  if (unserved.length === 0) return {}
  const which = listed(unserved.map(({ stage }) => stage))
  return { stages: `cannot start: ${which} ${unserved.length === 1 ? 'is' : 'are'} not available` }
}
