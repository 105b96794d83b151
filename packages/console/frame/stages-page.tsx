/** All stages to choose from. */
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { links } from '../state/route.ts'

export function StagesPage() {
  const { stages, failure, again } = useStages()
  return (
    <>
      <Heading>Stages</Heading>
      <p class="lead">Choose a stage to run. It is queued, runs once, and can be watched live.</p>
      <p>
        <a class="button" href={links.newRun()}>
          Run a workflow
        </a>{' '}
        <span class="quiet">takes a question through several stages, and waits where a person decides.</span>
      </p>
      {failure && <Failure text={failure} again={again} />}
      {!stages && !failure && <Loading what="the stages" />}
      {stages && (
        <ol class="stages">
          {stages.map(({ stage, title, sign_off, optional, needs_question }) => (
            <li key={stage}>
              <a href={links.create(stage)}>
                <span class="number">{stage}</span>
                <span class="name">{title}</span>
                <span class="marks">
                  {needs_question && <span>needs a question</span>}
                  {sign_off && <span>needs sign-off</span>}
                  {optional && <span>optional</span>}
                </span>
              </a>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}
