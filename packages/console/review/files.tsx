/** The files of a job. A link cannot send the token, so each is fetched and then passed to the browser to save. */
import { useState } from 'preact/hooks'
import type { JobReference } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { Fault } from '../page/parts.tsx'

export function Files({ job, names }: { job: JobReference; names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <ul class="files">
        {names.map((name) => (
          <File key={name} job={job} name={name} />
        ))}
      </ul>
    </section>
  )
}

function File({ job, name }: { job: JobReference; name: string }) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')

  async function download(): Promise<void> {
    setBusy(true)
    setFault('')
    try {
      const answer = await stagecast.artifact(job, name)
      save(await answer.blob(), name)
    } catch (error) {
      setFault(tellFailure(error))
    }
    setBusy(false)
  }

  return (
    <li>
      <button type="button" aria-disabled={busy} onClick={() => void (busy || download())}>
        {busy ? 'Fetching ' : 'Download '}
        <bdi>{name}</bdi>
      </button>
      <Fault text={fault} />
    </li>
  )
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // Firefox starts reading it only later.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
