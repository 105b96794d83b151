/** Links each number and citation of a manuscript to its artifact, and lists the gaps for the author. */
import { createHash } from 'node:crypto'
import type { Written } from './markdown.ts'
import type { Artifact } from './tokens.ts'

export interface Bindings {
  kind: 'bindings'
  manuscript: { name: string; sha256: string }
  artifacts: { artifact: string; stage: number; sha256: string }[]
  sections: Written['sections']
  /** In text order; offsets are UTF-16 units of the manuscript. */
  tokens: {
    section: string
    start: number
    end: number
    /** As in the artifact, before escaping. */
    text: string
    artifact: string
    sha256: string
    pointer: string
    paper_id?: string
  }[]
  gaps: { section: string; start: number; end: number; text: string }[]
}

export function bindingsOf({ text, tokens, sections }: Written, name: string): Bindings {
  const used = new Map<string, Artifact>()
  const bound: Bindings['tokens'] = []
  const gaps: Bindings['gaps'] = []
  for (const { section, start, end, token } of tokens) {
    if (token.kind === 'gap') {
      gaps.push({ section, start, end, text: token.text })
      continue
    }
    const { artifact, pointer } = token
    used.set(artifact.name, artifact)
    bound.push({
      section,
      start,
      end,
      text: token.kind === 'citation' ? token.key : token.text,
      artifact: artifact.name,
      sha256: artifact.sha256,
      pointer,
      ...(token.kind === 'citation' && { paper_id: token.paper_id }),
    })
  }
  const artifacts = [...used.values()].sort((a, b) => a.stage - b.stage || (a.name < b.name ? -1 : 1))
  return {
    kind: 'bindings',
    manuscript: { name, sha256: createHash('sha256').update(text).digest('hex') },
    artifacts: artifacts.map((one) => ({ artifact: one.name, stage: one.stage, sha256: one.sha256 })),
    sections,
    tokens: bound,
    gaps,
  }
}
