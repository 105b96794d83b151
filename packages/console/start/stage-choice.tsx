/** The stages to run. Stages that no service has cannot be chosen. */
import type { Stage } from '../../../contract/catalogue.ts'

interface ChoiceProps {
  stages: readonly Stage[]
  chosen: readonly number[]
  fault: string | undefined
  onChange: (stage: number, on: boolean) => void
}

export function StageChoice({ stages, chosen, fault, onChange }: ChoiceProps) {
  return (
    <fieldset
      id="field-stages"
      tabIndex={-1}
      class={fault ? 'field faulty' : 'field'}
      aria-describedby="field-stages-hint field-stages-fault"
    >
      <legend>Stages</legend>
      <p class="hint" id="field-stages-hint">
        A stage brings the stages that it needs.
      </p>
      <div class="choices">
        {stages.map((one) => (
          <label key={one.stage} class="choice">
            <input
              type="checkbox"
              checked={chosen.includes(one.stage)}
              disabled={one.available === false && !chosen.includes(one.stage)}
              onChange={(event) => onChange(one.stage, event.currentTarget.checked)}
            />
            <span class={one.available === false ? 'quiet' : ''}>
              {one.stage} · {one.title}
              {one.sign_off && <span class="quiet"> · sign-off</span>}
              {one.available === false && <span class="quiet"> · no service has it</span>}
            </span>
          </label>
        ))}
      </div>
      <p class="fault" id="field-stages-fault">
        {fault && `Stages ${fault}.`}
      </p>
    </fieldset>
  )
}
