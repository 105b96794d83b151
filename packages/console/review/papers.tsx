/** The papers of a review in order, each with the reason for its inclusion. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { type Data, data, list, number, plain, text, texts } from '../api/read.ts'
import { words } from '../form/schema.ts'
import { Decide, Ruled } from './decide.tsx'
import { PaperLinks } from './paper-links.tsx'
import type { Deciding } from './use-decisions.ts'

/** Types of notices after which a paper counts as retracted. */
const TAKEN_BACK = new Set(['retraction', 'withdrawal'])
/** How many to show at first. */
const FIRST = 10

export function Papers({ papers, deciding }: { papers: unknown[]; deciding: Deciding | null }) {
  const [all, setAll] = useState(false)
  const shown = all ? papers : papers.slice(0, FIRST)
  return (
    <section aria-labelledby="papers">
      <h3 id="papers">
        Papers <span class="quiet">{papers.length}</span>
      </h3>
      {papers.length === 0 && <p>No papers are included.</p>}
      <ol class="papers">
        {shown.map((paper, at) => (
          <Paper key={at} paper={data(paper)} rank={at + 1} deciding={deciding} />
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

function Paper({ paper, rank, deciding }: { paper: Data; rank: number; deciding: Deciding | null }) {
  const why = text(paper.why)
  return (
    <li class="paper">
      <PaperHead paper={paper} rank={number(paper.rank) ?? rank} />
      <Ruled paper={paper} />
      {why && (
        <p class="why">
          <bdi>{why}</bdi>
        </p>
      )}
      <p class="chips">
        <Chips paper={paper} />
      </p>
      <PaperLinks paper={paper} />
      <More paper={paper}>{deciding && <Decide paper={paper} deciding={deciding} />}</More>
    </li>
  )
}

/** Title, authors, journal and year. */
export function PaperHead({ paper, rank }: { paper: Data; rank?: number }) {
  const doi = text(paper.doi).replace(/^https?:\/\/(dx\.)?doi\.org\//, '')
  const title = text(paper.title) || 'Untitled'
  return (
    <>
      <h4>
        {rank !== undefined && <span class="rank">{rank} </span>}
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
    </>
  )
}

/** DOIs of invented records use the test prefix and lead nowhere. */
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
  const kind = text(data(paper.study_type).type)
  const size = number(data(data(paper.extraction).sample_size).value)
  const cited = number(paper.cited_by)
  const sources = new Set(texts(paper.records, 'source').map(words))
  const chips = [
    kind && kind !== 'other' ? plain(kind) : '',
    paper.preprint === true ? 'preprint' : '',
    paper.abstract === null ? 'no abstract' : '',
    size === null ? '' : `n = ${size}`,
    cited === null ? '' : `cited ${cited === 1 ? 'once' : `${cited} times`}`,
    // The top of the page already says that records are invented.
    ...[...sources].filter((source) => source !== 'Sample'),
  ]
  // A retraction is a mark of its own, whatever its notice is called.
  const marks = new Set(
    paper.retracted === true
      ? ['retracted', ...texts(paper.notices, 'type').filter((type) => !TAKEN_BACK.has(type))]
      : texts(paper.notices, 'type'),
  )
  return (
    <>
      {[...marks].map((mark) => (
        <span class="chip warm" key={mark}>
          <bdi>{plain(mark)}</bdi>
        </span>
      ))}
      {chips.filter(Boolean).map((chip) => (
        <span class="chip" key={chip}>
          <bdi>{chip}</bdi>
        </span>
      ))}
    </>
  )
}

export function More({ paper, children }: { paper: Data; children?: ComponentChildren }) {
  const abstract = text(paper.abstract)
  const facts = factsOf(paper).filter(([, value]) => value !== '')
  if (!abstract && facts.length === 0 && !children) return null
  return (
    <details>
      <summary>{abstract ? 'Abstract and details' : 'Details'}</summary>
      {abstract && (
        <p class="abstract">
          <bdi>{abstract}</bdi>
        </p>
      )}
      <dl class="facts">
        {facts.map(([name, value], at) => (
          <div key={at}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      {children}
    </details>
  )
}

/** Facts about a paper besides its abstract: label and text, '' if unknown. */
function factsOf(paper: Data): [string, string][] {
  const { results, conclusions } = data(paper.extraction)
  const score = number(data(paper.ranking).score)
  const parts = list(data(paper.ranking).parts).map(data)
  const related = list(paper.related).map(data)
  const identifiers = [text(paper.pmid) && `PMID ${text(paper.pmid)}`, text(paper.pmcid)]
  return [
    ['Screening', text(data(paper.screening).reason)],
    ['Found by', texts(paper.matched_terms).join(', ')],
    ['Ranked by', parts.map(({ by, place }) => `${text(by)}: place ${text(place)}`).join(', ')],
    ['Score', score === null ? '' : round(score)],
    ...texts(results, 'text').map((said): [string, string] => ['Result', said]),
    ...texts(conclusions, 'text').map((said): [string, string] => ['Conclusion', said]),
    ['Other versions', related.map(({ id, relation }) => `${text(id)} (${text(relation)})`).join(', ')],
    ['Identifiers', identifiers.filter(Boolean).join(', ')],
  ]
}

function authors(value: unknown): string {
  const names = list(value).flatMap((one) => {
    const { family, given, literal } = data(one)
    return text(one) || text(literal) || [text(family), text(given)].filter(Boolean).join(' ') || []
  })
  return names.length > 4
    ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} others`
    : names.join(', ')
}

/** Scores are either small sums of shares or large: four digits distinguish them. */
function round(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
}
