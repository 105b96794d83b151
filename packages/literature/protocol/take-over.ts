/** How a search takes over what stage 1 has declared: its groups and criteria, where its own options do not say otherwise. */
import { frame, given } from '../frame.ts'
import type { Asked } from '../inputs.ts'
import type { Query } from '../query.ts'
import type { Protocol } from './protocol.ts'

type Given = Record<string, unknown>

/** A protocol of another question says nothing about this one. */
export function isAbout(protocol: Protocol, question: string | null): boolean {
  return protocol.question === (question ?? '').trim().replace(/\s+/g, ' ')
}

/** Groups and a query for all sources take each other's place, so what comes from the protocol gives way. */
export function takeOver(protocol: Protocol, own: Given): Given {
  const taken: Given = { ...protocol.inputs }
  if (own.query !== undefined || own.concepts !== undefined) {
    delete taken.query
    delete taken.concepts
  }
  return { ...taken, ...own }
}

/** The request's own groups or query come first, then what the protocol declared, then what the question says. */
export function queryOf({ question, inputs }: Asked, protocol: Protocol | null): Query {
  if (protocol) {
    const { by, concepts, left_out } = protocol
    return { question: protocol.question, by, concepts, left_out }
  }
  if (inputs.concepts) return given(question, inputs.concepts)
  return typeof inputs.query === 'string' ? { ...frame(question), by: 'query' } : frame(question)
}
