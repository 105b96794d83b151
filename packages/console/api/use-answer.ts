/** Reads something from the API once, for as long as a part of the page is shown. */
import { useEffect, useState } from 'preact/hooks'
import { tellFailure } from './api.ts'

interface Answer<T> {
  /** Null until it is there, and after a failure. */
  value: T | null
  /** What went wrong, in words; '' otherwise. */
  failure: string
}

const NOTHING = { value: null, failure: '' }

/** Calls `read` when shown and when one of `inputs` changes; null reads nothing. Leaving aborts the signal. */
export function useAnswer<T>(
  read: ((signal: AbortSignal) => Promise<T>) | null,
  inputs: readonly unknown[],
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>(NOTHING)
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    setAnswer(NOTHING)
    read?.(signal).then(
      (value) => signal.aborted || setAnswer({ value, failure: '' }),
      (error) => signal.aborted || setAnswer({ value: null, failure: tellFailure(error) }),
    )
    return () => leaving.abort()
  }, inputs)
  return answer
}
