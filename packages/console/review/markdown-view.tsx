/**
 * Markdown as nodes of the page, never as markup: what this does not know stays as it is written. It knows what stages
 * write: headings, paragraphs, lists, tables, quotations, code, bold.
 */
import type { ComponentChildren } from 'preact'

export function MarkdownView({ text }: { text: string }) {
  return <div class="markdown">{blocksOf(text.split(/\r?\n/))}</div>
}

function blocksOf(lines: readonly string[]): ComponentChildren[] {
  const blocks: ComponentChildren[] = []
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    const taken = (test: RegExp) => {
      const from = at
      while (at < lines.length && test.test(lines[at] ?? '')) at++
      return lines.slice(from, at)
    }
    const fence = /^(`{3,})/.exec(line)?.[1]
    const heading = /^(#{1,6}) (.*)$/.exec(line)
    if (fence) {
      const end = lines.findIndex((one, place) => place > at && one.startsWith(fence))
      const stop = end < 0 ? lines.length : end
      blocks.push(<pre class="answer">{lines.slice(at + 1, stop).join('\n')}</pre>)
      at = stop + 1
    } else if (heading) {
      at++
      blocks.push(<Heading level={heading[1]?.length ?? 1} text={heading[2] ?? ''} />)
    } else if (line.startsWith('|')) blocks.push(<Table rows={taken(/^\|/)} />)
    else if (/^[-*] /.test(line)) {
      blocks.push(
        <ul>
          {taken(/^[-*] /).map((item, place) => (
            <li key={place}>{inline(item.slice(2))}</li>
          ))}
        </ul>,
      )
    } else if (line.startsWith('>')) {
      const quoted = taken(/^>/).map((one) => one.replace(/^> ?/, ''))
      blocks.push(<blockquote>{inline(quoted.join(' '))}</blockquote>)
    } else if (line.trim() === '') at++
    else blocks.push(<p>{inline(taken(/^(?![-*] |#|>|\||```|\s*$)/).join(' '))}</p>)
  }
  return blocks
}

/** The page has its own h1, and the part its h2. */
function Heading({ level, text }: { level: number; text: string }) {
  if (level === 1) return <h3>{inline(text)}</h3>
  if (level === 2) return <h4>{inline(text)}</h4>
  return <h5>{inline(text)}</h5>
}

function Table({ rows }: { rows: readonly string[] }) {
  const [head = [], , ...body] = rows.map(cellsOf)
  return (
    <section class="scroll" tabIndex={0} aria-label={`Table: ${head.map(unescaped).join(', ')}`}>
      <table class="hits">
        <thead>
          <tr>
            {head.map((cell, at) => (
              <th scope="col" key={at}>
                {inline(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((row, at) => (
            <tr key={at}>
              {row.map((cell, place) => (
                <td key={place}>{inline(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** A bar behind a backslash is text. */
function cellsOf(row: string): string[] {
  return row
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())
}

const INLINE = /(`+)([\s\S]*?[^`])\1(?!`)|\*\*((?:\\.|[^*\\])+)\*\*/g

function inline(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = []
  let from = 0
  for (const found of text.matchAll(INLINE)) {
    // A mark behind a backslash is text.
    if (text[found.index - 1] === '\\') continue
    parts.push(unescaped(text.slice(from, found.index)))
    const [, , code, bold] = found
    parts.push(
      code === undefined ? (
        <strong class={unescaped(bold ?? '').startsWith('[') ? 'open-gap' : undefined}>
          {unescaped(bold ?? '')}
        </strong>
      ) : (
        <code>{code.trim()}</code>
      ),
    )
    from = found.index + found[0].length
  }
  parts.push(unescaped(text.slice(from)))
  return parts
}

function unescaped(text: string): string {
  return text.replace(/\\([\\`*_[\]<>#|~&.)=+-])/g, '$1')
}
