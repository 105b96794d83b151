/** Applies a protocol from stage 1 to a search. The search's own options take precedence. */
import { frame, given } from '../frame.ts'
import type { Asked } from '../inputs.ts'
import type { Query } from '../query.ts'
import type { Protocol } from './protocol.ts'

type Given = Record<string, unknown>

/** A protocol applies only to its own question. */
export function isAbout(protocol: Protocol, question: string | null): boolean {
  return protocol.question === (question ?? '').trim().replace(/\s+/g, ' ')
}

/** Concepts and queries exclude each other, so either one in the request replaces both from the protocol. */
export function takeOver(protocol: Protocol, own: Given): Given {
  const taken: Given = { ...protocol.inputs }
  if (own.query !== undefined || own.concepts !== undefined) {
    delete taken.query
    delete taken.concepts
  }
  return { ...taken, ...own }
}

/** The concepts of the protocol, if there is one to use; otherwise those of the request or the question. */
export function queryOf({ question, inputs }: Asked, protocol: Protocol | null): Query {
  if (protocol) {
    const { by, concepts, left_out } = protocol
    return { question: protocol.question, by, concepts, left_out }
  }
  if (inputs.concepts) return given(question, inputs.concepts)
  return typeof inputs.query === 'string' ? { ...frame(question), by: 'query' } : frame(question)
}
