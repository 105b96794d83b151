/** Groups options into sections; options that this page does not know go under "Options". */
import type { Field } from './schema.ts'
import { keyOf } from './values.ts'

export interface Section {
  title: string
  fields: Field[]
}

const TITLES: readonly [title: string, keys: readonly string[]][] = [
  ['Where to search', ['sources', 'max_results']],
  [
    'Which papers',
    [
      'year_from',
      'year_to',
      'language',
      'require_abstract',
      'study_types',
      'include_keywords',
      'exclude_keywords',
    ],
  ],
  ['From elsewhere', ['records', 'decisions']],
]
/** Edited in a separate part of the form. */
const APART = ['inputs/concepts', 'inputs/query', 'inputs/preview']

export function sectionsOf(fields: readonly Field[]): Section[] {
  const options = fields.filter(({ path }) => path.length > 1)
  const isSearch = APART.every(
    (key) => fields.some((field) => keyOf(field) === key) || key === 'inputs/preview',
  )
  const left = new Set(isSearch ? options.filter((field) => !APART.includes(keyOf(field))) : options)
  const sections = TITLES.map(([title, keys]) => {
    const inside = keys.flatMap((key) => [...left].find((field) => keyOf(field) === `inputs/${key}`) ?? [])
    for (const field of inside) left.delete(field)
    return { title, fields: inside }
  })
  return [...sections, { title: 'Options', fields: [...left] }].filter((one) => one.fields.length > 0)
}
