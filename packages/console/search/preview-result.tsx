/** The page of a preview job: what it would search, and how to continue from there. */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { Data } from '../api/read.ts'
import { keepDraft, newId } from '../form/draft.ts'
import { fieldsOf } from '../form/schema.ts'
import { useDocument } from '../form/use-document.ts'
import { fromBody } from '../form/values.ts'
import { links } from '../state/route.ts'
import { Groups, LeftOutWords } from './groups.tsx'
import { PreviewView } from './preview-view.tsx'
import { readPreview } from './read-preview.ts'

interface PreviewResultProps {
  stage: number
  results: Data
  asked: JobSnapshot['data']
}

export function PreviewResult({ stage, results, asked }: PreviewResultProps) {
  const preview = readPreview(results)
  const { document } = useDocument()
  const fields = document && fieldsOf(document, stage)
  const goOn = () => fields && keepDraft(stage, { workflow: newId(), values: fromBody(fields, { ...asked }) })
  return (
    <section aria-labelledby="preview">
      <h2 id="preview">What would be searched</h2>
      <p class="hint">This was a preview: the sources only counted hits, and no papers were read.</p>
      <Groups concepts={preview.concepts} />
      <LeftOutWords words={preview.leftOut} />
      <PreviewView preview={preview} />
      {fields && (
        <div class="actions">
          <a class="button primary" href={links.create(stage)} onClick={goOn}>
            Edit or start the search
          </a>
        </div>
      )}
    </section>
  )
}
