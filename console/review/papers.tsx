/** The papers of a review in their order, each with the reason why it is there. */
import { useState } from 'preact/hooks'
import { counts, type Data, data, list, number, plain, text, texts } from './read.ts'

/** Shown at first: reading begins at the top. */
const FIRST = 10

export function Papers({ papers }: { papers: unknown[] }) {
  const [all, setAll] = useState(false)
  const shown = all ? papers : papers.slice(0, FIRST)
  return (
    <section aria-labelledby="papers">
      <h3 id="papers">
        Papers <span class="quiet">{papers.length}</span>
      </h3>
      {papers.length === 0 && <p>No paper is included.</p>}
      <ol class="papers">
        {shown.map((paper, at) => (
          <Paper key={at} paper={data(paper)} rank={at + 1} />
        ))}
      </ol>
      {shown.length < papers.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {papers.length} papers
        </button>
      )}
    </section>
  )
}

function Paper({ paper, rank }: { paper: Data; rank: number }) {
  const doi = text(paper.doi).replace(/^https?:\/\/(dx\.)?doi\.org\//, '')
  const title = text(paper.title) || 'Untitled'
  const why = text(paper.why) || text(data(paper.screening).reason)
  return (
    <li class="paper">
      <h4>
        <span class="rank">{number(paper.rank) ?? rank}</span>{' '}
        <bdi lang={text(paper.language) || undefined}>{title}</bdi>
      </h4>
      <p class="cite">
        <bdi>{authors(paper.authors)}</bdi>
        {[text(paper.journal), text(paper.year)].filter(Boolean).map((part) => (
          <span key={part}>
            {' · '}
            <bdi>{part}</bdi>
          </span>
        ))}
        {doi && (
          <>
            {' · '}
            <Doi doi={doi} />
          </>
        )}
      </p>
      {why && (
        <p class="why">
          <bdi>{why}</bdi>
        </p>
      )}
      <p class="chips">
        <Chips paper={paper} />
      </p>
      <More paper={paper} />
    </li>
  )
}

/** Invented records have DOIs under the test prefix, which lead nowhere. */
function Doi({ doi }: { doi: string }) {
  if (!/^10\.\d{4,9}\/\S+$/.test(doi) || doi.startsWith('10.5555/')) return <span>doi {doi}</span>
  return (
    <a
      href={`https://doi.org/${encodeURIComponent(doi).replaceAll('%2F', '/')}`}
      rel="noreferrer noopener"
      target="_blank"
    >
      doi {doi}
    </a>
  )
}

function Chips({ paper }: { paper: Data }) {
  const kind = text(paper.study_type) || text(data(paper.study_type).type)
  const sources = texts(paper.sources, 'source', 'name')
  const size =
    number(data(paper.extraction).sample_size) ?? number(data(data(paper.extraction).sample_size).value)
  const chips = [
    kind && kind !== 'other' ? plain(kind) : '',
    size === null ? '' : `n = ${size}`,
    number(paper.cited_by) === null ? '' : `cited ${number(paper.cited_by)} times`,
    number(paper.score) === null ? '' : `score ${(number(paper.score) ?? 0).toPrecision(4)}`,
    ...(sources.length > 0 ? sources : [text(paper.source)]),
    paper.abstract === null ? 'no abstract' : '',
    paper.is_preprint === true || paper.preprint === true ? 'preprint' : '',
  ]
  return (
    <>
      {chips.filter(Boolean).map((chip) => (
        <span class="chip" key={chip}>
          {chip}
        </span>
      ))}
    </>
  )
}

function More({ paper }: { paper: Data }) {
  const abstract = text(paper.abstract)
  const components = counts(paper.components ?? paper.ranking ?? paper.score_components)
  const related = texts(paper.related_versions ?? paper.related, 'title', 'doi', 'id')
  const extracted = list(
    data(paper.extraction).sentences ?? data(paper.extraction).findings ?? paper.findings,
  )
  const terms = texts(paper.matched_terms)
  if (!abstract && components.length + related.length + extracted.length + terms.length === 0) return null
  return (
    <details>
      <summary>Abstract and details</summary>
      {abstract && (
        <p class="abstract">
          <bdi>{abstract}</bdi>
        </p>
      )}
      <dl class="facts">
        {terms.length > 0 && (
          <>
            <dt>Found by</dt>
            <dd>
              <bdi>{terms.join(', ')}</bdi>
            </dd>
          </>
        )}
        {components.length > 0 && (
          <>
            <dt>Ranked by</dt>
            <dd>{components.map(([name, value]) => `${plain(name)} ${round(value)}`).join(', ')}</dd>
          </>
        )}
        {texts(extracted, 'text', 'sentence', 'quote').map((sentence) => (
          <>
            <dt>It says</dt>
            <dd>
              <bdi>{sentence}</bdi>
            </dd>
          </>
        ))}
        {related.length > 0 && (
          <>
            <dt>Other versions</dt>
            <dd>
              <bdi>{related.join(', ')}</bdi>
            </dd>
          </>
        )}
      </dl>
    </details>
  )
}

function authors(value: unknown): string {
  const names = texts(value, 'name', 'literal', 'family')
  return names.length > 4
    ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} others`
    : names.join(', ')
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3)
}
