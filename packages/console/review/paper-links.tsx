/** Links to a paper's full text and to its records at the sources. */

import { type Data, data, list, text } from '../api/read.ts'
import { words } from '../form/schema.ts'

interface Link {
  name: string
  url: string
  /** Shown after the name: the license, or who reports it. */
  note: string
}

export function PaperLinks({ paper }: { paper: Data }) {
  const links = [...openLinks(paper), ...(isInvented(paper) ? [] : recordLinks(paper))]
  if (links.length === 0) return null
  return (
    <ul class="paper-links" aria-label="Links">
      {links.map(({ name, url, note }) => (
        <li key={url}>
          <a href={url} rel="noreferrer noopener" target="_blank">
            <bdi>{name}</bdi>
          </a>
          {note && (
            <span class="quiet">
              {' '}
              <bdi>{note}</bdi>
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Full texts open to everybody. Addresses come from the sources, so only http(s) ones become links. */
function openLinks(paper: Data): Link[] {
  const seen = new Set<string>()
  return list(paper.open_access).flatMap((one) => {
    const { url, format, license, source } = data(one)
    const address = webAddress(text(url))
    if (!address || seen.has(address)) return []
    seen.add(address)
    const told = [text(license), text(source) && `according to ${words(text(source))}`]
      .filter(Boolean)
      .join(', ')
    return { name: format === 'pdf' ? 'Full text (PDF)' : 'Full text', url: address, note: told }
  })
}

/** The paper's pages at the sources. */
function recordLinks(paper: Data): Link[] {
  const pmid = /^\d+$/.exec(text(paper.pmid))?.[0]
  const pmcid = /^PMC\d+$/.exec(text(paper.pmcid))?.[0]
  const openalex = idAt(paper, 'openalex', /^W\d+$/)
  const europepmc = idAt(paper, 'europepmc', /^[A-Z]+\/[\w.-]+$/)
  const links = [
    pmid && ['PubMed', `https://pubmed.ncbi.nlm.nih.gov/${pmid}/`],
    pmcid && ['PMC', `https://pmc.ncbi.nlm.nih.gov/articles/${pmcid}/`],
    europepmc && ['Europe PMC', `https://europepmc.org/article/${europepmc}`],
    openalex && ['OpenAlex', `https://openalex.org/${openalex}`],
  ]
  return links.flatMap((link) => (link ? { name: link[0] ?? '', url: link[1] ?? '', note: '' } : []))
}

function idAt(paper: Data, source: string, shape: RegExp): string | undefined {
  const record = list(paper.records)
    .map(data)
    .find((one) => one.source === source)
  const id = text(record?.id).replace(/^https:\/\/openalex\.org\//, '')
  return shape.exec(id)?.[0]
}

function webAddress(address: string): string {
  if (!URL.canParse(address)) return ''
  const { protocol, href } = new URL(address)
  return protocol === 'https:' || protocol === 'http:' ? href : ''
}

/** The identifiers of invented records lead nowhere, or to somebody else's paper. */
function isInvented(paper: Data): boolean {
  return list(paper.records).some((record) => data(record).source === 'sample')
}
