/** The PRISMA-S checklist for reporting searches. Items that only the author can answer stay open. */
import type { Findings } from '../review.ts'
import { countsOf } from '../review.ts'

interface Item {
  item: number
  name: string
  /** Null if only the author knows. */
  told: string | null
}

export function prismaS(findings: Findings): Item[] {
  const { searches, asked } = findings
  const { inputs } = asked
  const counts = countsOf(findings)
  const searched = searches.filter(({ kind }) => kind === 'searches')
  const imported = searches.filter(({ kind }) => kind === 'imported')
  const completed = searches.some(({ kind, plan }) => kind === 'completes' && plan !== null)
  const limits = [
    inputs.year_from === undefined ? '' : `from ${inputs.year_from}`,
    inputs.year_to === undefined ? '' : `to ${inputs.year_to}`,
    inputs.language === undefined ? '' : `language ${inputs.language}`,
    ...searched.map(({ source, records, total }) =>
      records.length < total ? `${source}: the first ${records.length} of ${total}, in its own order` : '',
    ),
  ].filter((limit) => limit !== '')
  const dates = searched.flatMap(({ source, searched_at }) =>
    searched_at === null ? [] : `${source}: ${new Date(searched_at).toISOString().slice(0, 10)}`,
  )
  const names = searched.map(({ source }) => source).join(', ')
  const told: [name: string, told: string | null][] = [
    ['Database name', names || 'None was searched.'],
    ['Multi-database searching', 'Each source was searched separately, through its own interface.'],
    ['Study registries', 'No registry was searched.'],
    ['Online resources and browsing', 'None were browsed.'],
    ['Citation searching', 'No references or citations were followed.'],
    ['Contacts', null],
    [
      'Other methods',
      imported.length > 0
        ? `Records were imported: ${imported.map(({ source, total }) => `${source}: ${total}`).join('; ')}.`
        : 'None by this service.',
    ],
    ['Full search strategies', 'Each query is given word for word under searches in this file.'],
    ['Limits and restrictions', limits.length > 0 ? `${limits.join('; ')}.` : 'None.'],
    ['Search filters', 'No published filter was used.'],
    ['Prior work', null],
    ['Updates', null],
    [
      'Dates of searches',
      dates.length > 0 ? `${dates.join('; ')}.` : 'No source was searched over a network.',
    ],
    ['Peer review', null],
    [
      'Total records',
      `Identified: ${counts.identified}; read: ${counts.read}; not read because of a limit: ${counts.unread}.`,
    ],
    [
      'Deduplication',
      `By DOI, PMID and PMCID, then by title, year and first author: ${counts.duplicates} duplicates.${completed ? ' Crossref completed records by DOI.' : ''}`,
    ],
  ]
  return told.map(([name, words], at) => ({ item: at + 1, name, told: words }))
}
