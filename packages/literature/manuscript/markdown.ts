/** The manuscript as Markdown with pandoc citations, and the offsets of each token. */
import { plainText } from '../markdown.ts'
import type { Block, Inline, Manuscript } from './tokens.ts'

export interface Placed {
  section: string
  /** UTF-16 offsets in the text; `end` is exclusive. */
  start: number
  end: number
  token: Exclude<Inline, { kind: 'words' | 'name' }>
}

export interface PlacedSection {
  id: string
  title: string
  level: number
  start: number
  end: number
}

export interface Written {
  text: string
  tokens: Placed[]
  sections: PlacedSection[]
}

export function markdownOf({ title, authors, notice, sections }: Manuscript): Written {
  const paper = new Paper()
  paper.line('# ', title)
  if (authors.length > 0)
    paper.line(
      '',
      authors.flatMap((one, at) => (at === 0 ? one : [comma, ...one])),
    )
  if (notice.length > 0) paper.line('> ', notice)
  for (const { id, title: heading, level, blocks } of sections) {
    paper.begin(id, heading, level)
    for (const block of blocks) paper.block(block)
  }
  return paper.written()
}

const comma: Inline = { kind: 'words', text: ', ' }

class Paper {
  private text = ''
  private section = ''
  private readonly tokens: Placed[] = []
  private readonly sections: PlacedSection[] = []

  begin(id: string, title: string, level: number): void {
    this.close()
    this.section = id
    this.sections.push({ id, title, level, start: this.text.length, end: 0 })
    this.text += `${'#'.repeat(level + 1)} ${title}\n\n`
  }

  line(before: string, content: readonly Inline[]): void {
    this.text += before
    this.inline(content)
    this.text += '\n\n'
  }

  block(block: Block): void {
    switch (block.kind) {
      case 'paragraph':
        this.line('', block.content)
        break
      case 'code':
        this.code(block.content)
        break
      case 'list':
        this.list(block.items)
        break
      case 'table':
        this.table(block)
    }
  }

  written(): Written {
    this.close()
    return { text: `${this.text.trimEnd()}\n`, tokens: this.tokens, sections: this.sections }
  }

  private close(): void {
    const open = this.sections.at(-1)
    if (open) open.end = this.text.length
  }

  private list(items: readonly Inline[][]): void {
    for (const item of items) {
      this.text += '- '
      this.inline(item)
      this.text += '\n'
    }
    this.text += '\n'
  }

  private table({ head, rows }: Block & { kind: 'table' }): void {
    this.row(head)
    this.text += `|${head.map(() => '---|').join('')}\n`
    for (const row of rows) this.row(row)
    this.text += '\n'
  }

  private row(cells: readonly Inline[][]): void {
    this.text += '|'
    for (const cell of cells) {
      this.text += ' '
      this.inline(cell)
      this.text += ' |'
    }
    this.text += '\n'
  }

  /** Fences a code block with more backticks than it contains. */
  private code(content: readonly Inline[]): void {
    const longest = content.flatMap(({ text }) => [...text.matchAll(/`+/g)].map(([run]) => run.length))
    const fence = '`'.repeat(Math.max(2, ...longest) + 1)
    this.text += `${fence}text\n`
    for (const token of content) this.place(token, token.text.replace(/\r?\n/g, ' '))
    this.text += `\n${fence}\n\n`
  }

  private inline(content: readonly Inline[]): void {
    for (const token of content) this.place(token, printed(token))
  }

  private place(token: Inline, text: string): void {
    const start = this.text.length
    this.text += text
    if (token.kind === 'words' || token.kind === 'name') return
    this.tokens.push({ section: this.section, start, end: this.text.length, token })
  }
}

function printed(token: Inline): string {
  if (token.kind === 'citation') return `[@${token.key}]`
  if (token.kind === 'gap') return `**[AUTHOR: ${token.text}]**`
  return token.kind === 'value' ? plainText(token.text) : token.text
}
