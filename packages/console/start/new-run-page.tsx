/** Takes a workflow through several stages. */
import { useDocument } from '../form/use-document.ts'
import { Failure, Heading, Loading } from '../page/parts.tsx'
import { useStages } from '../page/stages.ts'
import { RunForm } from './run-form.tsx'
import { useLastRun } from './use-last-run.ts'

interface PageProps {
  workflow: string
  /** Choose this one, with what it needs. */
  stage: number | null
}

export function NewRunPage({ workflow, stage }: PageProps) {
  const { document, failure, again } = useDocument()
  const catalogue = useStages()
  const { last, failure: unknown } = useLastRun(workflow, document)
  const problem = failure || catalogue.failure || unknown
  return (
    <>
      <Heading above={workflow && <span class="code">{workflow}</span>}>
        {workflow ? 'Run this workflow' : 'Run a workflow'}
      </Heading>
      <p class="lead">
        The stages run in the order of their dependencies. Unchanged results of earlier runs are reused. At a
        stage that needs sign-off, the run waits for a person.
      </p>
      {problem && <Failure text={problem} again={failure ? again : catalogue.again} />}
      {!problem && !(document && catalogue.stages && last) && <Loading what="the form" />}
      {document && catalogue.stages && last && (
        <RunForm
          document={document}
          stages={catalogue.stages}
          workflow={workflow}
          stage={stage}
          last={last}
        />
      )}
    </>
  )
}
