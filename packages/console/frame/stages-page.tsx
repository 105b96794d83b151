/** Where everybody begins: a question for a workflow, and all stages to run one by itself. */
import type { Stage } from '../../../contract/catalogue.ts'
import { LatestWorkflow } from '../lists/latest-workflow.tsx'
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { listed } from '../run/words.ts'
import { AskForm } from '../start/ask-form.tsx'
import { links } from '../state/route.ts'

export function StagesPage() {
  const { stages, failure, again } = useStages()
  return (
    <>
      <Heading>Stages</Heading>
      <p class="lead">
        Ask a question and take it through several stages. You see the plan before anything runs, follow each
        step, and approve or reject the results that need sign-off.
      </p>
      {failure && <Failure text={failure} again={again} />}
      {!stages && !failure && <Loading what="the stages" />}
      {stages && (
        <>
          <LatestWorkflow />
          <AskForm stages={stages} />
          <Single stages={stages} />
        </>
      )}
    </>
  )
}

function Single({ stages }: { stages: readonly Stage[] }) {
  const offered = stages.filter(({ available }) => available !== false)
  const unserved = stages.filter(({ available }) => available === false)
  return (
    <>
      <section aria-labelledby="single">
        <h2 id="single">Or start with a single stage</h2>
        {offered.length === 0 && <p class="empty">No stage is available.</p>}
        <ol class="stages">
          {offered.map((one) => (
            <li key={one.stage}>
              <a href={one.needs.length > 0 ? links.runTo(one.stage) : links.create(one.stage)}>
                <Card {...one} />
              </a>
            </li>
          ))}
        </ol>
      </section>
      {unserved.length > 0 && (
        <details class="fold">
          <summary>
            <h2>Not available</h2> <span class="quiet">{unserved.length}</span>
          </summary>
          <p class="hint">
            No stage service offers these stages, so they cannot be started. They become available when the
            operator adds a service that does.
          </p>
          <ol class="stages unserved">
            {unserved.map((one) => (
              <li key={one.stage}>
                <Card {...one} />
              </li>
            ))}
          </ol>
        </details>
      )}
    </>
  )
}

/** A stage that works on the results of others begins as a workflow with them: alone it would fail. */
function Card(one: Stage) {
  const { stage, title, description, needs, sign_off, optional, needs_question, available } = one
  return (
    <span class="stage-card">
      <span class="number">{stage}</span>
      <span class="name">{title}</span>
      {description && available !== false && <span class="what">{description}</span>}
      <span class="marks">
        {available === false ? (
          <span>not available</span>
        ) : (
          <>
            {needs.length > 0 && <span>after {listed(needs)}</span>}
            {needs_question && <span>needs a question</span>}
            {sign_off && <span>needs sign-off</span>}
            {optional && <span>optional</span>}
          </>
        )}
      </span>
    </span>
  )
}
