/**
 * The kind of study, with the words that show it. Checks publication types, then a clear title, then subject headings,
 * then sentences of the abstract about this study. Null if unknown.
 */
import type { StudyType } from '../../contract/literature.ts'
import type { Paper } from './paper.ts'
import { sentences } from './sentences.ts'
import {
  BY_HEADING,
  BY_PUBLICATION_TYPE,
  IN_ABSTRACT,
  IN_TITLE,
  NO_KIND,
  OF_OTHERS,
  OTHER_SECTION,
} from './study-words.ts'

export interface StudyKind {
  type: StudyType
  /** Where it was found. */
  by: 'publication type' | 'title' | 'subject heading' | 'abstract'
  /** The words that show it. */
  text: string
}

type Told = Pick<Paper, 'publication_types' | 'title' | 'abstract'> & Partial<Pick<Paper, 'mesh'>>

/** Vague types, and the more exact types that the title or abstract may replace them with. */
const MADE_EXACT: Partial<Record<StudyType, readonly StudyType[]>> = {
  review: ['meta_analysis', 'systematic_review', 'guideline'],
  observational: ['cohort', 'case_control', 'cross_sectional'],
  clinical_trial: ['randomized_controlled_trial'],
  randomized_controlled_trial: ['protocol'],
}

export function studyType(paper: Told): StudyKind | null {
  const stated = byPublicationType(paper.publication_types)
  if (!stated) return fromTitle(paper.title) ?? byHeading(paper.mesh ?? []) ?? fromAbstract(paper)
  const exact = MADE_EXACT[stated.type]
  if (!exact) return stated
  const kinds = [fromTitle(paper.title), byHeading(paper.mesh ?? []), fromAbstract(paper)]
  return kinds.find((kind) => kind && exact.includes(kind.type)) ?? stated
}

function byPublicationType(types: readonly string[]): StudyKind | null {
  const given = new Map(types.map((type) => [type.toLowerCase().replaceAll('-', ' '), type]))
  for (const [name, type] of BY_PUBLICATION_TYPE) {
    const text = given.get(name)
    if (text) return { type, by: 'publication type', text }
  }
  return null
}

function byHeading(mesh: readonly string[]): StudyKind | null {
  const given = new Map(mesh.map((heading) => [heading.toLowerCase(), heading]))
  for (const [name, type] of BY_HEADING) {
    const text = given.get(name)
    if (text) return { type, by: 'subject heading', text }
  }
  // MEDLINE adds a heading for each species studied; for people it is "Humans".
  const species = mesh.find((heading) =>
    /^(?:mice|rats|swine|dogs|rabbits|zebrafish|macaca|guinea pigs)\b/i.test(heading),
  )
  return species && given.has('animals') && !given.has('humans')
    ? { type: 'animal', by: 'subject heading', text: species }
    : null
}

function fromTitle(title: string): StudyKind | null {
  if (NO_KIND.test(title)) return null
  for (const [pattern, type] of IN_TITLE) {
    const found = pattern.exec(title)
    if (found) return { type, by: 'title', text: found[0].trim() }
  }
  return null
}

function fromAbstract({ title, abstract }: Told): StudyKind | null {
  if (abstract === null || NO_KIND.test(title) || NO_KIND.test(abstract)) return null
  const own = sentences(abstract).filter(
    ({ text, label }) => !(label !== null && OTHER_SECTION.test(label)) && !OF_OTHERS.test(text),
  )
  for (const [pattern, type] of IN_ABSTRACT) {
    const found = own.find(({ text, label }) =>
      pattern.test(label && /^design/i.test(label) ? `Design: ${text}` : text),
    )
    if (found) return { type, by: 'abstract', text: found.text }
  }
  return null
}
