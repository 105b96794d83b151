/** The files of a job. */
import type { JobReference } from '../../client/index.ts'
import { Fault } from '../page/parts.tsx'
import { useDownload } from './use-download.ts'

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
  const { busy, fault, download } = useDownload(job, name)
  return (
    <li>
      <button type="button" aria-disabled={busy} onClick={() => void download()}>
        {busy ? 'Fetching ' : 'Download '}
        <bdi>{name}</bdi>
      </button>
      <Fault text={fault} />
    </li>
  )
}
