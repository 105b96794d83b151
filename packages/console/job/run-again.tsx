/** Opens the stage's form with what this job was asked. */
import type { JobSnapshot } from '../../../contract/job.ts'
import { keepDraft, newId } from '../form/draft.ts'
import { fieldsOf } from '../form/schema.ts'
import { useDocument } from '../form/use-document.ts'
import { fromBody } from '../form/values.ts'
import { links } from '../state/route.ts'

export function RunAgain({ of: { stage, data }, primary }: { of: JobSnapshot; primary?: boolean }) {
  const { document } = useDocument()
  const fields = document && fieldsOf(document, stage)
  if (!fields) return null
  return (
    <a
      class={primary ? 'button primary' : 'button'}
      href={links.create(stage)}
      onClick={() => keepDraft(stage, { workflow: newId(), values: fromBody(fields, { ...data }) })}
    >
      Run again with changes
    </a>
  )
}
