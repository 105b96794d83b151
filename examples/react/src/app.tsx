import { type FormEvent, useState } from 'react'
import type { JobReference } from 'stagecast/react'
import { Job } from './job.tsx'
import { stagecast } from './stagecast.ts'
import { Title } from './title.tsx'
import { Workflow } from './workflow.tsx'

interface Started extends JobReference {
  workflow_id: string
}

export function App() {
  const [job, setJob] = useState<Started | null>(null)
  const [fault, setFault] = useState('')

  async function start(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const question = String(new FormData(event.currentTarget).get('question'))
    setFault('')
    try {
      setJob(await stagecast.execute(2, { workflow_id: newId(), research_question: question }))
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error))
    }
  }

  return (
    <main>
      <h1>Research</h1>
      <form onSubmit={start}>
        <label>
          Question <input name="question" minLength={10} required />
        </label>
        <button type="submit">Start</button>
      </form>
      {fault && <p role="alert">{fault}</p>}
      {job && <Title job={job} />}
      {job && <Job job={job} />}
      {job && <Workflow id={job.workflow_id} />}
    </main>
  )
}

/** A UUID. Browsers have `crypto.randomUUID` only on https and localhost. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}
