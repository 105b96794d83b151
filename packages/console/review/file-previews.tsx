/** Files of a job that can be read on the page: text for people first, then pictures; everything else is downloaded. */
import { useEffect, useState } from 'preact/hooks'
import type { JobReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { MarkdownView } from './markdown-view.tsx'

/** Bytes; a longer text would stop the page. */
const MOST = 1_000_000
const KINDS = ['.md', '.svg'] as const

export function FilePreviews({ job, names }: { job: JobReference; names: readonly string[] }) {
  const shown = KINDS.flatMap((kind) => names.filter((name) => name.toLowerCase().endsWith(kind)))
  return (
    <>
      {shown.map((name) => (
        <FilePreview key={name} job={job} name={name} />
      ))}
    </>
  )
}

function FilePreview({ job: { stage, job_id }, name }: { job: JobReference; name: string }) {
  const [content, setContent] = useState<{ text: string; url: string } | null>(null)
  const [failure, setFailure] = useState('')
  const isPicture = name.toLowerCase().endsWith('.svg')
  useEffect(() => {
    const leaving = new AbortController()
    let url = ''
    const read = async () => {
      const answer = await persist(() => stagecast.artifact({ stage, job_id }, name), leaving.signal)
      const blob = await answer.blob()
      if (blob.size > MOST) throw new Error('too long to be shown here; download it.')
      // As a picture it runs no script and loads nothing.
      if (isPicture) url = URL.createObjectURL(new Blob([blob], { type: 'image/svg+xml' }))
      return { url, text: isPicture ? '' : await blob.text() }
    }
    read().then(
      (found) => leaving.signal.aborted || setContent(found),
      (error) => leaving.signal.aborted || setFailure(tellFailure(error)),
    )
    return () => {
      leaving.abort()
      if (url) URL.revokeObjectURL(url)
    }
  }, [stage, job_id, name, isPicture])
  return (
    <section class="file-preview" aria-label={name}>
      <h2 class="above code">{name}</h2>
      {failure && <Failure text={`${name}: ${failure}`} />}
      {!content && !failure && <Loading what={name} />}
      {content && (isPicture ? <img src={content.url} alt={name} /> : <MarkdownView text={content.text} />)}
    </section>
  )
}
