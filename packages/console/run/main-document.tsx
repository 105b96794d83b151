/** What a finished run was for: the document that its last stages wrote, to be saved with one press. */
import type { JobReference, Run } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Fault } from '../page/parts.tsx'
import { useDownload } from '../review/use-download.ts'

const DOCUMENT = /\.(?:docx|odt|pdf)$/i

interface Found {
  job: JobReference
  name: string
}

export function MainDocument({ run }: { run: Run }) {
  const { value } = useAnswer((signal) => find(run, signal), [run.run_id])
  return value && <Download {...value} />
}

/** The latest stage's; null if no stage wrote one. */
async function find({ steps }: Run, signal: AbortSignal): Promise<Found | null> {
  for (const { stage, job_id } of [...steps].reverse()) {
    if (!job_id) continue
    const job = { stage, job_id }
    // A job may have been deleted since.
    const { result } = await persist(() => stagecast.status(job, { signal }), signal).catch(() => ({
      result: null,
    }))
    const name = result?.artifacts.find((one) => DOCUMENT.test(one))
    if (name) return { job, name }
  }
  return null
}

function Download({ job, name }: Found) {
  const { busy, fault, download } = useDownload(job, name)
  const called = name.replace(DOCUMENT, '').replace(/[_-]+/g, ' ')
  return (
    <>
      <button type="button" class="primary" title={name} aria-disabled={busy} onClick={() => void download()}>
        {busy ? 'Fetching' : 'Download'} the <bdi>{called}</bdi>
      </button>
      <Fault text={fault} />
    </>
  )
}
