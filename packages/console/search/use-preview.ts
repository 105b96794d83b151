/** Previews a search: the stage runs with `preview`, ends after planning, and its result is shown in the form. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { StagecastError } from '../../client/index.ts'
import { keepWatching } from '../../client/keep-watching.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { newId } from '../form/draft.ts'
import { type Preview, readPreview } from './read-preview.ts'

export interface Looking {
  preview: Preview | null
  /** The previewed request as JSON, to detect later changes of the form. */
  of: string
  busy: boolean
  message: string
  failure: string
  /** The API's errors by field; null if there are none. */
  refused: { path: string; message: string }[] | null
  look(body: Body): void
}

export interface Body {
  inputs?: Record<string, unknown>
  [field: string]: unknown
}

const NOTHING = { preview: null, of: '', busy: false, message: '', failure: '', refused: null }

export function usePreview(stage: number): Looking {
  const [now, setNow] = useState<Omit<Looking, 'look'>>(NOTHING)
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])

  function look(body: Body): void {
    running.current?.abort()
    const leaving = new AbortController()
    running.current = leaving
    const change = (next: Partial<Looking>) =>
      leaving.signal.aborted || setNow((before) => ({ ...before, ...next }))
    change({ busy: true, message: 'Asking the sources…', failure: '', refused: null })
    preview(stage, body, leaving.signal, (message) => change({ message })).then(
      (found) => change({ ...found, of: JSON.stringify(body), busy: false }),
      (error) => {
        const errors = error instanceof StagecastError ? error.problem.errors : undefined
        change({ busy: false, ...(errors ? { refused: errors } : { failure: tellFailure(error) }) })
      },
    )
  }
  return { ...now, look }
}

async function preview(
  stage: number,
  body: Body,
  signal: AbortSignal,
  tell: (message: string) => void,
): Promise<{ preview: Preview | null; failure: string }> {
  // Use a separate workflow: a preview is not a step of the researcher's work.
  const asked = { ...body, workflow_id: newId(), inputs: { ...body.inputs, preview: true } }
  const job = await stagecast.execute(stage, asked, { idempotencyKey: newId() })
  let ended = false
  // Cancel the preview if the user leaves or starts another.
  signal.addEventListener('abort', () => ended || void stagecast.cancel(job).catch(() => undefined))
  for await (const { event, data } of keepWatching(
    (connecting) => stagecast.watch(job, connecting),
    signal,
  )) {
    if (event === 'progress') tell(data.message)
    if (event === 'retrying') tell(`${data.error.message} Retrying soon.`)
  }
  const { result, error } = await persist(() => stagecast.status(job, { signal }), signal)
  ended = true
  if (result?.results) return { preview: readPreview(result.results), failure: '' }
  return { preview: null, failure: error?.message ?? 'The preview was cancelled.' }
}
