/** Step 1: from a question in words to the concepts a record is looked through for. */
import type { Concept, Query, Role } from './query.ts'
import { type Word, words, wordsAsWritten } from './text.ts'
import { ASKING_WORDS, LINKING_WORDS, STOP_WORDS, SUBJECTS, type Subject, WEAK_WORDS } from './vocabulary.ts'

interface Phrase {
  /** Normalised, to compare; and as the question has them, to search with. */
  words: Word[]
  role: Role
}

/** Frames a question; one made of stop-words alone has no concepts. */
export function frame(text: string): Query {
  const question = text.trim().replace(/\s+/g, ' ')
  const concepts: Concept[] = []
  const extra: string[] = []
  for (const phrase of phrases(question)) {
    const { subjects, rest } = split(phrase.words.map(({ normal }) => normal))
    for (const subject of subjects) concepts.push(known(subject, phrase))
    if (subjects.length > 0) extra.push(...rest)
    else concepts.push(unknown(phrase))
  }
  return { question, concepts: decide(merge(concepts)), extra: [...new Set(extra)] }
}

/** Cuts the question where a word carries no subject; linking words say what the next phrase is. */
function phrases(question: string): Phrase[] {
  const found: Phrase[] = []
  let role: Role = 'topic'
  let open: Word[] = []
  const close = () => {
    if (open.length > 0) found.push({ words: open, role })
    open = []
  }
  for (const part of question.split(/[,;.!?()"“”]+/)) {
    let linked = false
    for (const word of wordsAsWritten(part)) {
      const link = LINKING_WORDS.get(word.normal)
      if (link || STOP_WORDS.has(word.normal) || ASKING_WORDS.has(word.normal)) {
        close()
        // Of two linking words in a row the first decides: "compared with", "helping in".
        if (link && !linked) role = link
        linked = link !== undefined
      } else {
        open.push(word)
        linked = false
      }
    }
    close()
  }
  return found
}

/** Subjects named in a phrase, longest names first, and the words they leave over. */
function split(phrase: string[]): { subjects: Subject[]; rest: string[] } {
  let text = ` ${phrase.join(' ')} `
  const subjects: Subject[] = []
  for (const { subject, name } of NAMES) {
    if (!text.includes(name)) continue
    text = text.replace(name, ' | ')
    if (!subjects.includes(subject)) subjects.push(subject)
  }
  const order = (subject: Subject) => Math.min(...namesOf(subject).map((name) => place(phrase, name)))
  const rest = text.split(/[ |]+/).filter((word) => word !== '' && !WEAK_WORDS.has(word))
  return { subjects: subjects.sort((a, b) => order(a) - order(b)), rest }
}

function known(subject: Subject, phrase: Phrase): Concept {
  const asked = ` ${phrase.words.map(({ normal }) => normal).join(' ')} `
  const own = subject.names.filter((name) => asked.includes(` ${words(name).join(' ')} `))
  const terms = [...own, ...subject.names.filter((name) => !own.includes(name))]
  return { label: subject.label, role: phrase.role, terms, needs: 1, required: true }
}

/** A phrase outside the table: most of those of its words that mean something alone. */
function unknown({ words: all, role }: Phrase): Concept {
  const strong = all.filter(({ normal }) => !WEAK_WORDS.has(normal))
  const chosen = new Map((strong.length > 0 ? strong : all).map(({ normal, written }) => [normal, written]))
  const terms = [...chosen.values()]
  const needs = Math.floor(terms.length / 2) + 1
  const label = all.map(({ written }) => written).join(' ')
  return { label, role, terms, needs, required: strong.length > 0 }
}

function merge(concepts: Concept[]): Concept[] {
  return concepts.filter((concept, at) => concepts.findIndex((other) => other.label === concept.label) === at)
}

/** What a thing is compared with only orders the records, and so does a phrase of weak words. */
function decide(concepts: Concept[]): Concept[] {
  const required = (concept: Concept) => concept.required && concept.role !== 'comparator'
  if (!concepts.some(required)) return concepts.map((concept) => ({ ...concept, required: true }))
  return concepts.map((concept) => ({ ...concept, required: required(concept) }))
}

function namesOf({ names, asked = [] }: Subject): string[] {
  return [...names, ...asked].map((name) => words(name).join(' '))
}

function place(phrase: string[], name: string): number {
  const at = ` ${phrase.join(' ')} `.indexOf(` ${name} `)
  return at === -1 ? Number.POSITIVE_INFINITY : at
}

const NAMES = SUBJECTS.flatMap((subject) =>
  namesOf(subject).map((name) => ({ subject, name: ` ${name} ` })),
).sort((a, b) => b.name.length - a.name.length || (a.name < b.name ? -1 : 1))
