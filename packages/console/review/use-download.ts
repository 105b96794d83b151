/** Fetches a file of a job and passes it to the browser to save: a link cannot send the token. */
import { useState } from 'preact/hooks'
import type { JobReference } from '../../client/index.ts'
import { stagecast, tellFailure } from '../api/api.ts'

export function useDownload(job: JobReference, name: string) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')

  async function download(): Promise<void> {
    if (busy) return
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

  return { busy, fault, download }
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
