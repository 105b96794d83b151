/** The stages to run. Stages that no service has cannot be chosen. */
import type { Stage } from '../../../contract/catalogue.ts'

interface ChoiceProps {
  stages: readonly Stage[]
  chosen: readonly number[]
  fault: string | undefined
  onChange: (stage: number, on: boolean) => void
}

export function StageChoice({ stages, chosen, fault, onChange }: ChoiceProps) {
  // A chosen one stays in sight, so that it can be taken away.
  const isOffered = ({ stage, available }: Stage) => available !== false || chosen.includes(stage)
  const offered = stages.filter(isOffered)
  const unserved = stages.filter((one) => !isOffered(one))
  return (
    <fieldset
      id="field-stages"
      tabIndex={-1}
      class={fault ? 'field faulty' : 'field'}
      aria-describedby="field-stages-hint field-stages-fault"
    >
      <legend>Stages</legend>
      <p class="hint" id="field-stages-hint">
        Choosing a stage also chooses the stages that it needs.
      </p>
      <div class="choices">
        {offered.map((one) => (
          <Choice key={one.stage} stage={one} chosen={chosen} onChange={onChange} />
        ))}
      </div>
      {unserved.length > 0 && (
        <details class="fold">
          <summary class="quiet">
            {unserved.length} {unserved.length === 1 ? 'stage' : 'stages'} not available
          </summary>
          <div class="choices">
            {unserved.map((one) => (
              <Choice key={one.stage} stage={one} chosen={chosen} onChange={onChange} />
            ))}
          </div>
        </details>
      )}
      <p class="fault" id="field-stages-fault">
        {fault && `Stages ${fault}.`}
      </p>
    </fieldset>
  )
}

interface OneProps extends Pick<ChoiceProps, 'chosen' | 'onChange'> {
  stage: Stage
}

function Choice({ stage: { stage, title, sign_off, available }, chosen, onChange }: OneProps) {
  const isMissing = available === false
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={chosen.includes(stage)}
        disabled={isMissing && !chosen.includes(stage)}
        onChange={(event) => onChange(stage, event.currentTarget.checked)}
      />
      <span class={isMissing ? 'quiet' : ''}>
        {stage} · {title}
        {sign_off && <span class="quiet"> · sign-off</span>}
        {isMissing && <span class="quiet"> · not available</span>}
      </span>
    </label>
  )
}
