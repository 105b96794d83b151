/** A literature review as a page. Its writer may add or omit parts: each is shown if it is there. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { type Data, data, list, plain, text, texts } from '../api/read.ts'
import { Groups, LeftOutWords } from '../search/groups.tsx'
import { conceptsOf, leftOutOf } from '../search/read-preview.ts'
import { Decide } from './decide.tsx'
import { Flow } from './flow.tsx'
import { Notices } from './notices.tsx'
import { Papers } from './papers.tsx'
import { readFlow } from './read-flow.ts'
import { goToUndecided, Uncertain } from './uncertain.tsx'
import type { Deciding } from './use-decisions.ts'

interface ReviewProps {
  review: Data
  prisma: Data
  deciding: Deciding | null
}

/** `deciding` is null if the stage takes no decisions by hand. */
export function ReviewView({ review, prisma, deciding }: ReviewProps) {
  const summary = data(review.summary)
  const uncertain = list(review.uncertain)
  const flow = readFlow(review, prisma)
  const told = text(review.notice) || text(summary.notice)
  const notice = [told, isSample(review) ? SAMPLE : ''].find(Boolean)
  // The summary ends with the notice, which is already shown above.
  const lead = told ? text(summary.text).replace(told, '').trim() : text(summary.text)
  return (
    <article class="review" aria-label="Literature review">
      <h2>Review</h2>
      {notice && (
        <p class="note sample">
          <bdi>{notice}</bdi>
        </p>
      )}
      <Degraded review={review} />
      {lead && (
        <p class="lead">
          <bdi>{lead}</bdi>
        </p>
      )}
      {uncertain.length > 0 && (
        <div class="actions">
          <button type="button" onClick={goToUndecided}>
            Decide on {uncertain.length === 1 ? '1 paper' : `${uncertain.length} papers`}
          </button>
        </div>
      )}
      <Undecided ids={texts(review.undecided)} />
      <Papers papers={list(review.papers)} deciding={deciding} />
      <Uncertain papers={uncertain} deciding={deciding} />
      <Notices review={review} />
      <Themes themes={list(summary.themes)} />
      <Bullets id="gaps" title="Gaps" items={texts(summary.gaps, 'text')} />
      {flow && (
        <Part id="flow" title="How the records were selected">
          <Flow flow={flow} />
        </Part>
      )}
      <Search review={review} />
      <Bullets id="limitations" title="Limitations" items={texts(summary.limitations, 'text')} />
      <Excluded records={list(review.excluded)} deciding={deciding} />
    </article>
  )
}

const SAMPLE = 'Sample data: every record, author, journal and number here is invented.'

function isSample(review: Data): boolean {
  return text(review.source).split(',').includes('sample')
}

function Part({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  )
}

/** Shows the sources that failed: a review that covers less than requested must say so. */
function Degraded({ review }: { review: Data }) {
  const warnings = texts(review.warnings, 'message', 'source')
  if (warnings.length === 0 && review.degraded !== true) return null
  return (
    <div class="note">
      <p>Not every source answered, so this review may be incomplete.</p>
      <ul>
        {warnings.map((warning, at) => (
          <li key={at}>
            <bdi>{warning}</bdi>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Undecided({ ids }: { ids: string[] }) {
  if (ids.length === 0) return null
  return (
    <div class="note">
      <p>These decisions match no paper of this review:</p>
      <ul>
        {ids.map((id) => (
          <li key={id}>
            <bdi>{id}</bdi>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Search({ review }: { review: Data }) {
  const concepts = conceptsOf(review.concepts)
  const leftOut = leftOutOf(review.left_out)
  if (concepts.length === 0 && leftOut.length === 0) return null
  return (
    <Part id="search" title="How the question was searched">
      <Groups concepts={concepts} />
      <LeftOutWords words={leftOut} />
      <p class="hint">The file search_log.json has every query, word for word, with its hits.</p>
    </Part>
  )
}

function Themes({ themes }: { themes: unknown[] }) {
  if (themes.length === 0) return null
  return (
    <Part id="themes" title="Themes">
      <ul class="chips">
        {themes.map((theme, at) => {
          const { label, paper_ids } = data(theme)
          return (
            <li class="chip large" key={at}>
              <bdi>{text(label) || text(theme)}</bdi> {list(paper_ids).length > 0 && list(paper_ids).length}
            </li>
          )
        })}
      </ul>
    </Part>
  )
}

function Bullets({ id, title, items }: { id: string; title: string; items: string[] }) {
  if (items.length === 0) return null
  return (
    <Part id={id} title={title}>
      <ul>
        {items.map((item, at) => (
          <li key={at}>
            <bdi>{item}</bdi>
          </li>
        ))}
      </ul>
    </Part>
  )
}

/** How many to show at first. */
const FIRST_EXCLUDED = 40

function Excluded({ records, deciding }: { records: unknown[]; deciding: Deciding | null }) {
  const [all, setAll] = useState(false)
  if (records.length === 0) return null
  const shown = all ? records : records.slice(0, FIRST_EXCLUDED)
  return (
    <details class="fold" id="excluded">
      <summary>
        <h3>Excluded</h3> <span class="quiet">{records.length}</span>
      </summary>
      <ul class="plain-list">
        {shown.map((record, at) => {
          const { id: key, title: called, reason } = data(record)
          return (
            <li key={at}>
              <bdi>{text(called) || text(key) || text(record)}</bdi>
              {text(reason) && (
                <p class="quiet">
                  <bdi>{plain(text(reason))}</bdi>
                </p>
              )}
              {deciding && <Decide paper={data(record)} deciding={deciding} />}
            </li>
          )
        })}
      </ul>
      {shown.length < records.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {records.length}
        </button>
      )}
    </details>
  )
}
