/** The artifacts used to write a manuscript. */
import type { EvidenceMap } from '../evidence-map/shape.ts'
import type { Protocol } from '../protocol/protocol.ts'
import type { LiteratureReview } from '../schema.ts'
import type { References } from './references.ts'
import type { Artifact } from './tokens.ts'

type Known<T> = Artifact & { value: T }

export interface Log {
  searches: {
    source: string
    role: string
    request: Record<string, string> | null
    step: string | null
    steps: { says: string; request: Record<string, string> | null }[]
    searched_at: string | null
    hits: number
    records_read: number
    failure: { message: string } | null
  }[]
}

export interface Flow {
  identification: {
    records_identified: number
    records_unread: number
    records_removed_before_screening: Record<string, number>
  }
  screening: {
    records_excluded: number
    records_excluded_by_rule: Record<string, number>
    records_uncertain: number
    records_uncertain_by_rule: Record<string, number>
    decided_by_person: { included: number; excluded: number }
  }
}

export interface ManuscriptInputs {
  title?: string
  authors?: string[]
}

export interface Sources {
  review: Known<LiteratureReview>
  flow: Known<Flow>
  log: Known<Log>
  map: Known<EvidenceMap>
  protocol: Known<Protocol> | null
  inputs: Known<ManuscriptInputs>
  references: References
}
