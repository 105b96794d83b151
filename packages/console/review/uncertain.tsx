/** Papers that the rules could not judge, each with what it meets and misses, for a person to decide. */
import { useEffect, useState } from 'preact/hooks'
import { data, plain, text, texts } from '../api/read.ts'
import { route } from '../state/route.ts'
import { Decide } from './decide.tsx'
import { PaperLinks } from './paper-links.tsx'
import { More, PaperHead } from './papers.tsx'
import type { Deciding } from './use-decisions.ts'

const FIRST = 10
const ID = 'uncertain'

export function goToUndecided(): void {
  const heading = document.getElementById(ID)
  heading?.focus({ preventScroll: true })
  heading?.scrollIntoView({ block: 'start' })
}

export function Uncertain({ papers, deciding }: { papers: unknown[]; deciding: Deciding | null }) {
  const [all, setAll] = useState(false)
  useEffect(() => {
    if (route.value.page === 'job' && route.value.decide) goToUndecided()
  }, [])
  if (papers.length === 0) return null
  const shown = all ? papers : papers.slice(0, FIRST)
  return (
    <section aria-labelledby={ID}>
      <h3 id={ID} tabIndex={-1}>
        For you to decide <span class="quiet">{papers.length}</span>
      </h3>
      <p class="hint">
        {deciding
          ? 'The rules could not judge these papers. Decide with a reason, then apply: the review runs again with your decisions.'
          : 'The rules could not judge these papers.'}
      </p>
      <ul class="papers">
        {shown.map((one, at) => {
          const paper = data(one)
          const screening = data(paper.screening)
          const reason = text(screening.reason) || text(paper.reason)
          const { met, missed } = data(screening.criteria)
          return (
            <li class="paper" key={text(paper.id) || at}>
              <PaperHead paper={paper} />
              {reason && (
                <p class="why">
                  Uncertain: <bdi>{plain(reason)}</bdi>.
                </p>
              )}
              <ul class="chips" aria-label="Criteria">
                {texts(met).map((one) => (
                  <li class="chip good" key={`met ${one}`}>
                    meets <bdi>{one}</bdi>
                  </li>
                ))}
                {texts(missed).map((one) => (
                  <li class="chip warm" key={`missed ${one}`}>
                    misses <bdi>{one}</bdi>
                  </li>
                ))}
              </ul>
              <PaperLinks paper={paper} />
              <More paper={paper} />
              {deciding && <Decide paper={paper} deciding={deciding} />}
            </li>
          )
        })}
      </ul>
      {shown.length < papers.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {papers.length}
        </button>
      )}
    </section>
  )
}
