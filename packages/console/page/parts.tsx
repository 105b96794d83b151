/** Small components that every page uses. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { showTab, type TabProgress } from './tab.ts'

interface HeadingProps {
  above?: ComponentChildren
  /** What the tab shows instead of the heading. */
  tab?: TabProgress
  children: ComponentChildren
}

/** The page's heading. It gets the focus when the page changes, so that a screen reader starts there. */
export function Heading({ above, tab, children }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => showTab(heading.current?.textContent ?? '', tab))
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

/** For when what had the focus is gone. */
export function focusHeading(): void {
  document.querySelector('h1')?.focus()
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

/** How long ago, in short; the exact time on hover. */
export function Ago({ at }: { at: number }) {
  const now = useNow(30_000)
  return (
    <time dateTime={new Date(at).toISOString()} title={shown.format(at)}>
      {ago(now - at) || day.format(at)}
    </time>
  )
}

/** Shows `83000` as `1 min ago`; '' after a week. */
function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ago`
  return hours < 7 * 24 ? `${Math.floor(hours / 24)} d ago` : ''
}

/** The time, again every so many ms; 0 stops it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (everyMs === 0) return
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
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
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
