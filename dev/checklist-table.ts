/** The checklist of a manuscript as a short table, and a summary of its sources. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { cut, fit } from '../packages/client/terminal/terminal-text.ts'

const STATES = {
  told: 'reported',
  told_in_part: 'partly reported',
  for_the_author: 'for the author',
  not_assessed: 'not assessed',
}
type State = keyof typeof STATES

/** The displayed fields of `checklist.json`. */
const Checklist = Type.Object({
  guideline: Type.String(),
  items: Type.Array(
    Type.Object({
      item: Type.Integer(),
      topic: Type.String(),
      state: Type.Union((Object.keys(STATES) as State[]).map((state) => Type.Literal(state))),
      places: Type.Array(Type.Object({ quotation: Type.String(), gap: Type.Boolean() })),
    }),
  ),
  unbound: Type.Array(Type.Unknown()),
})

/** The counted fields of `bindings.json`. */
const Bindings = Type.Object({ tokens: Type.Array(Type.Unknown()), gaps: Type.Array(Type.Unknown()) })

const ITEM = 4
const TOPIC = 24
const STATE = 15

export function checklistTable(document: unknown, width: number): string {
  const { guideline, items } = read(Checklist, document, 'checklist.json')
  const lines = items.map(({ item, topic, state, places }) => {
    const [first] = places
    const quoted = first ? (first.gap ? first.quotation.replaceAll('**', '') : `“${first.quotation}”`) : ''
    const start = `${String(item).padStart(ITEM)}  ${fit(topic, TOPIC)}  ${fit(STATES[state], STATE)}  `
    return cut(`${start}${quoted}`, width).trimEnd()
  })
  const counts = (Object.keys(STATES) as State[]).flatMap((state) => {
    const count = items.filter((one) => one.state === state).length
    return count > 0 ? [`${count} ${STATES[state]}`] : []
  })
  return [`${guideline}, ${items.length} items: ${counts.join(', ')}`, ...lines].join('\n')
}

export function summaryOf(document: unknown): string {
  const { tokens, gaps } = read(Bindings, document, 'bindings.json')
  return `${tokens.length} numbers and citations, each bound to a file of an earlier stage; ${gaps.length} gaps for the author`
}

function read<T extends TSchema>(schema: T, document: unknown, name: string): Static<T> {
  if (Value.Check(schema, document)) return document
  const { path, message } = Value.Errors(schema, document).First() ?? {}
  throw new Error(`${name} does not have the expected form: ${path} ${message}`)
}
