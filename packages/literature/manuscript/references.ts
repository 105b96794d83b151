/** Citations and the reference list, from the review's CSL-JSON. */
import type { Artifact, Inline } from './tokens.ts'

/** The printed fields of an entry in references.csl.json. */
export interface CslItem {
  id: string
  title?: string
  author?: { family?: string; given?: string; suffix?: string; literal?: string }[]
  issued?: { 'date-parts'?: number[][] }
  'container-title'?: string
  volume?: string
  issue?: string
  page?: string
  number?: string
  publisher?: string
  DOI?: string
  URL?: string
  custom?: { id?: string }
}

export class References {
  private readonly artifact: Artifact
  private readonly places = new Map<string, number>()
  private readonly cited = new Set<number>()

  constructor(artifact: Artifact) {
    this.artifact = artifact
    for (const [place, item] of this.items.entries()) this.places.set(item.custom?.id ?? item.id, place)
  }

  /** Throws if the paper is not in references.csl.json, because every citation needs a reference. */
  cite(paper_id: string): Inline {
    const place = this.places.get(paper_id)
    const item = place === undefined ? undefined : this.items[place]
    if (place === undefined || !item) throw new Error(`${this.artifact.name} has no paper ${paper_id}`)
    this.cited.add(place)
    const text = inShort(item)
    return { kind: 'citation', key: item.id, text, paper_id, artifact: this.artifact, pointer: `/${place}` }
  }

  /** The cited works by author and year, independent of search order. */
  listed(): Inline[][] {
    return [...this.cited]
      .flatMap((place) => {
        const item = this.items[place]
        return item ? [{ place, item, text: inFull(item) }] : []
      })
      .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.place - b.place))
      .map(({ place, text }) => [{ kind: 'value', text, artifact: this.artifact, pointer: `/${place}` }])
  }

  private get items(): CslItem[] {
    return this.artifact.value as CslItem[]
  }
}

function yearOf({ issued }: CslItem): string {
  return String(issued?.['date-parts']?.[0]?.[0] ?? 'no year')
}

function inShort(item: CslItem): string {
  const names = (item.author ?? []).map(({ family, literal }) => family ?? literal ?? '')
  const [first = item.title ?? item.id, second] = names
  const who = names.length > 2 ? `${first} et al.` : second ? `${first} and ${second}` : first
  return `(${who}, ${yearOf(item)})`
}

/** Prints up to six authors, or the first five if there are more. */
const [MOST, SHOWN] = [6, 5]

function inFull(item: CslItem): string {
  const all = (item.author ?? []).map(({ family, given, suffix, literal }) =>
    [family ?? literal ?? '', given, suffix].filter(Boolean).join(' '),
  )
  const who = all.length > MOST ? `${all.slice(0, SHOWN).join(', ')}, et al` : all.join(', ')
  const issue = item.issue ? `(${item.issue})` : ''
  const volume = [item.volume ?? '', issue].join('')
  const pages = item.page ?? item.number
  const where = [volume, pages].filter(Boolean).join(':')
  const place = [item['container-title'] ?? item.publisher, [yearOf(item), where].filter(Boolean).join(';')]
  const link = item.DOI ? `https://doi.org/${item.DOI}` : item.URL
  return [who, item.title, place.filter(Boolean).join('. '), link]
    .flatMap((part) => (part ? [part.replace(/\.$/, '')] : []))
    .join('. ')
    .concat(link ? '' : '.')
}
