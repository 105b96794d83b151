/** Files of a job that can be read on the page: text and pictures unfolded, tables and data folded; the rest is downloaded. */
import { useEffect, useState } from 'preact/hooks'
import type { JobReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import { Failure, Loading } from '../page/parts.tsx'
import { CsvTable } from './csv-table.tsx'
import { JsonTree } from './json-tree.tsx'
import { LongText } from './long-text.tsx'
import { MarkdownView } from './markdown-view.tsx'
import { readAtMost, readJson } from './read-file.ts'

/** `most`: bytes; a longer file would stop the page. */
const KINDS = {
  md: { word: 'text', most: 1_000_000, open: true },
  svg: { word: 'picture', most: 1_000_000, open: true },
  csv: { word: 'table', most: 5_000_000, open: false },
  json: { word: 'data', most: 5_000_000, open: false },
} as const
type Kind = keyof typeof KINDS

export function FilePreviews({ job, names }: { job: JobReference; names: readonly string[] }) {
  const shown = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    names.filter((name) => name.toLowerCase().endsWith(`.${kind}`)).map((name) => ({ name, kind })),
  )
  return (
    <>
      {shown.map(({ name, kind }) => (
        <FilePreview key={name} job={job} name={name} kind={kind} />
      ))}
    </>
  )
}

interface PreviewProps {
  job: JobReference
  name: string
  kind: Kind
}

function FilePreview({ job, name, kind }: PreviewProps) {
  const [open, setOpen] = useState<boolean>(KINDS[kind].open)
  return (
    <details
      class={`file-preview fold ${kind}`}
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <h2 class="code">
          <bdi>{name}</bdi>
        </h2>{' '}
        <span class="quiet">{KINDS[kind].word}</span>
      </summary>
      {open && <Inside job={job} name={name} kind={kind} />}
    </details>
  )
}

/** What was read; `url` of a picture. */
type Content =
  | { kind: 'svg'; url: string }
  | { kind: 'md' | 'csv'; text: string }
  | { kind: 'json'; value: unknown }

function Inside({ job: { stage, job_id }, name, kind }: PreviewProps) {
  const [content, setContent] = useState<Content | null>(null)
  const [failure, setFailure] = useState('')
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    let url = ''
    const read = async (): Promise<Content> => {
      const answer = await persist(() => stagecast.artifact({ stage, job_id }, name, { signal }), signal)
      const blob = await readAtMost(answer, KINDS[kind].most)
      if (kind !== 'svg') {
        const text = await blob.text()
        return kind === 'json' ? { kind, value: readJson(text) } : { kind, text }
      }
      // As a picture it runs no script and loads nothing.
      if (!signal.aborted) url = URL.createObjectURL(new Blob([blob], { type: 'image/svg+xml' }))
      return { kind, url }
    }
    read().then(
      (found) => signal.aborted || setContent(found),
      (error) => signal.aborted || setFailure(tellFailure(error)),
    )
    return () => {
      leaving.abort()
      if (url) URL.revokeObjectURL(url)
    }
  }, [stage, job_id, name, kind])
  if (failure) return <Failure text={`${name}: ${failure}`} />
  if (!content) return <Loading what={name} />
  switch (content.kind) {
    case 'svg':
      return (
        <section class="scroll" tabIndex={0} aria-label={`Picture: ${name}`}>
          <img src={content.url} alt={name} />
        </section>
      )
    case 'md':
      return (
        <LongText name={name}>
          <MarkdownView text={content.text} />
        </LongText>
      )
    case 'csv':
      return <CsvTable text={content.text} name={name} />
    case 'json':
      return <JsonTree value={content.value} label={name} />
  }
}
