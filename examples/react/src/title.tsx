/** Shows the same job in the title of the page. Components that follow the same job share one connection. */
import { useEffect } from 'react'
import { type JobReference, useJob } from 'stagecast/react'
import { stagecast } from './stagecast.ts'

export function Title({ job }: { job: JobReference }) {
  const { status, progress } = useJob(stagecast, job)
  useEffect(() => {
    document.title = `${progress} % ${status}`
  }, [status, progress])
  return null
}
