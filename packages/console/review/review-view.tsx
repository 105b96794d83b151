/** A literature review as a page. Its writer may add and leave out: each part is shown when it is there. */
import type { ComponentChildren } from 'preact'
import { Flow } from './flow.tsx'
import { Papers } from './papers.tsx'
import { type Data, data, list, plain, text, texts } from './read.ts'
import { readFlow } from './read-flow.ts'

export function ReviewView({ review, prisma }: { review: Data; prisma: Data }) {
  const summary = data(review.summary)
  const flow = readFlow(review, prisma)
  const notice = [text(review.notice) || text(summary.notice), isSample(review) ? SAMPLE : ''].find(Boolean)
  return (
    <article class="review" aria-label="Literature review">
      <h2>Review</h2>
      {notice && (
        <p class="note sample">
          <bdi>{notice}</bdi>
        </p>
      )}
      <Degraded review={review} />
      {text(summary.text) && (
        <p class="lead">
          <bdi>{text(summary.text)}</bdi>
        </p>
      )}
      <Concepts review={review} />
      {flow && (
        <Part id="flow" title="How the records were chosen">
          <Flow flow={flow} />
        </Part>
      )}
      <Papers papers={list(review.papers)} />
      <Themes themes={list(summary.themes)} />
      <Bullets id="gaps" title="Gaps" items={texts(summary.gaps, 'text')} />
      <Bullets id="limitations" title="Limitations" items={texts(summary.limitations, 'text')} />
      <LeftOut title="Uncertain" id="uncertain" records={list(review.uncertain)} />
      <LeftOut title="Excluded" id="excluded" records={list(review.excluded)} />
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

/** Sources that failed: a review that says less than it was asked to must say so. */
function Degraded({ review }: { review: Data }) {
  const warnings = texts(review.warnings, 'message', 'source')
  if (warnings.length === 0 && review.degraded !== true) return null
  return (
    <div class="note">
      <p>Not every source answered: this review may lack records.</p>
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

function Concepts({ review }: { review: Data }) {
  const concepts = list(review.concepts).map(data)
  if (concepts.length === 0) return null
  return (
    <details class="fold">
      <summary>
        <h3>How the question was read</h3>
      </summary>
      <dl class="facts">
        {concepts.map((concept, at) => (
          <div key={at}>
            <dt>{plain(text(concept.role)) || 'concept'}</dt>
            <dd>
              <bdi>{text(concept.label)}</bdi>
              <span class="quiet"> {texts(concept.terms).join(', ')}</span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
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

function LeftOut({ id, title, records }: { id: string; title: string; records: unknown[] }) {
  if (records.length === 0) return null
  return (
    <details class="fold" id={id}>
      <summary>
        <h3>{title}</h3> <span class="quiet">{records.length}</span>
      </summary>
      <ul class="plain-list">
        {records.map((record, at) => {
          const { id: key, title: called, reason, screening } = data(record)
          const why = text(reason) || text(data(screening).reason)
          return (
            <li key={at}>
              <bdi>{text(called) || text(key) || text(record)}</bdi>
              {why && (
                <p class="quiet">
                  <bdi>{plain(why)}</bdi>
                </p>
              )}
            </li>
          )
        })}
      </ul>
    </details>
  )
}
