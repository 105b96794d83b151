/** Small components that every page uses. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** The page's heading. It gets the focus when the page changes, so that a screen reader starts there. */
export function Heading({ above, children }: { above?: ComponentChildren; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const text = heading.current?.textContent ?? ''
    document.title = text ? `${text} · Stagecast` : 'Stagecast'
  })
  useEffect(() => {
    heading.current?.focus({ preventScroll: true })
    scrollTo({ top: 0 })
  }, [])
  return (
    <header class="page-head">
      {above && <p class="above">{above}</p>}
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
    </header>
  )
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="quiet loading" role="status">
      Loading {what}…
    </p>
  )
}

export function Failure({ text, again }: { text: string; again?: () => void }) {
  return (
    <div class="failure">
      <p class="alert" role="alert">
        {text}
      </p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Why pressing a button failed, beside it. */
export function Fault({ text }: { text: string }) {
  if (!text) return null
  return (
    <span class="fault" role="alert">
      {text}
    </span>
  )
}

/** A job's status as a coloured word; the word alone says everything. */
export function Badge({ status }: { status: string }) {
  return <span class={`badge ${status}`}>{status}</span>
}

export function Time({ at }: { at: number }) {
  const date = new Date(at)
  return <time dateTime={date.toISOString()}>{shown.format(date)}</time>
}

/** Shows `83000` as `1 min 23 s`; below ten seconds with one decimal. */
export function duration(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100))
  if (tenths < 100) return `${tenths / 10} s`
  return wholeSeconds(ms)
}

/** Shows `83000` as `1 min 23 s`. */
export function wholeSeconds(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Shows short times: `230` as `230 ms`. */
export function span(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : duration(ms)
}

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
