/** A long text: its beginning, and all of it on demand. Never a box that scrolls inside the page, whose end one may miss. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

export function LongText({ name, children }: { name: string; children: ComponentChildren }) {
  const box = useRef<HTMLElement>(null)
  const [isLong, setLong] = useState(false)
  const [all, setAll] = useState(false)
  useLayoutEffect(() => {
    // The style decides where a text is cut.
    const element = box.current
    if (element) setLong(element.scrollHeight > element.clientHeight + 1)
  }, [])
  return (
    <>
      <section
        ref={box}
        class={`page ${all ? '' : 'cut'} ${isLong && !all ? 'faded' : ''}`}
        aria-label={`Text: ${name}`}
      >
        {children}
      </section>
      {isLong && (
        <div class="actions">
          <button type="button" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show less' : 'Show all'} of <bdi>{name}</bdi>
          </button>
        </div>
      )}
    </>
  )
}
