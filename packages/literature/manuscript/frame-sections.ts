/** Introduction, discussion and closing sections: known facts, and gaps for the author. */
import type { Sources } from './sources-of.ts'
import { gap, type Inline, joined, pointerTo, type Section, say, value, words } from './tokens.ts'

export function introduction({ review }: Sources): Section[] {
  const concepts = review.value.concepts.flatMap(({ required, terms, synonyms }, at): Inline[][] => {
    if (!required) return []
    const term = (list: 'terms' | 'synonyms') => (_: string, place: number) =>
      value(review, pointerTo('concepts', at, list, place))
    const others = synonyms.map(term('synonyms'))
    return [
      [
        value(review, pointerTo('concepts', at, 'role')),
        words(': '),
        ...joined(terms.map(term('terms'))),
        ...(others.length > 0 ? [words('; also searched as '), ...joined(others)] : []),
      ],
    ]
  })
  return [
    { id: 'introduction', title: 'Introduction', level: 1, blocks: [] },
    {
      id: 'rationale',
      title: 'Rationale',
      level: 2,
      blocks: [
        {
          kind: 'paragraph',
          content: [gap('Say what is known, what is not, and why a review is needed now')],
        },
      ],
    },
    {
      id: 'objectives',
      title: 'Objectives',
      level: 2,
      blocks: [
        { kind: 'paragraph', content: say`This review asks: ${value(review, '/question')}` },
        ...(concepts.length > 0
          ? [
              { kind: 'paragraph' as const, content: say`The question was split into these concepts:` },
              { kind: 'list' as const, items: concepts },
            ]
          : []),
      ],
    },
  ]
}

export function discussion({ review }: Sources): Section[] {
  const limitations = review.value.summary.limitations.map((_, at) => [
    value(review, pointerTo('summary', 'limitations', at)),
  ])
  const open = (id: string, title: string, text: string): Section => {
    return { id, title, level: 2, blocks: [{ kind: 'paragraph', content: [gap(text)] }] }
  }
  return [
    { id: 'discussion', title: 'Discussion', level: 1, blocks: [] },
    open('interpretation', 'Interpretation', 'Interpret the results in the context of other evidence'),
    open('limitations-evidence', 'Limitations of the evidence', 'Say what limits the included papers'),
    {
      id: 'limitations-process',
      title: 'Limitations of the review process',
      level: 2,
      blocks: [{ kind: 'list', items: limitations }],
    },
    open('implications', 'Implications', 'Say what follows for practice, policy and research'),
  ]
}

export function others({ protocol }: Sources): Section[] {
  const open = (id: string, title: string, content: Inline[]): Section => {
    return { id, title, level: 2, blocks: [{ kind: 'paragraph', content }] }
  }
  return [
    { id: 'other', title: 'Other information', level: 1, blocks: [] },
    open('registration', 'Registration and protocol', [
      ...(protocol
        ? say`The protocol of this review is the file protocol.json of the same workflow. `
        : say`No protocol was declared in this workflow before the search. `),
      gap('Give the registry and the registration number, or say that the review was not registered'),
    ]),
    open('support', 'Support', [gap('Name the sources of support and the role of the funders')]),
    open('interests', 'Competing interests', [gap('Declare the competing interests of the authors')]),
    open(
      'availability',
      'Availability of data',
      say`The records, the decisions about each of them, the queries and the counts are in the files literature_review.json, search_log.json, prisma.json and evidence_map.json of this workflow. The file bindings.json links each number in this text to its place in these files.`,
    ),
  ]
}
