/** Parses a Boolean query (AND, OR, NOT, brackets, quotes, trailing *) for the sample, which has no syntax of its own. */
import type { Expression } from './plan.ts'

const TOKEN = /"[^"]*"|[()]|[^\s()"]+/g

/** Never fails: reads invalid syntax as words that must all occur. */
export function parseBoolean(query: string): Expression {
  const tokens = query.replace(/\[[\w /]+\]|\b[A-Z_]+:/g, ' ').match(TOKEN) ?? []
  let at = 0
  const anyOf = (): Expression => {
    const any = [allOf()]
    while (tokens[at] === 'OR') {
      at++
      any.push(allOf())
    }
    return any.length === 1 ? (any[0] as Expression) : { any }
  }
  const allOf = (): Expression => {
    const all: Expression[] = []
    while (at < tokens.length && tokens[at] !== ')' && tokens[at] !== 'OR') {
      if (tokens[at] === 'AND') at++
      else if (tokens[at] === 'NOT') {
        at++
        all.push({ not: one() })
      } else all.push(one())
    }
    return all.length === 1 ? (all[0] as Expression) : { all }
  }
  const one = (): Expression => {
    const token = tokens[at++] ?? ''
    if (token === '(') {
      const inside = anyOf()
      if (tokens[at] === ')') at++
      return inside
    }
    const term = token.replace(/^"|"$|\*$/g, '')
    return { term, form: /\s/.test(term) ? 'phrase' : 'word' }
  }
  const parts: Expression[] = []
  while (at < tokens.length) {
    parts.push(anyOf())
    if (tokens[at] === ')') at++
  }
  return parts.length === 1 ? (parts[0] as Expression) : { all: parts }
}
