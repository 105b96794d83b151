/** The manuscript as a Word document. The same manuscript gives the same bytes: no clock, no randomness. */
import {
  Document,
  HeadingLevel,
  type IRunOptions,
  LineRuleType,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from 'docx'
import { unzipSync, zipSync } from 'fflate'
import type { Block, Inline, Manuscript } from './tokens.ts'

/** Timestamp of zip entries and document properties: the earliest that zip can store. */
const NO_TIME = '1980-01-01T00:00:00Z'

export async function docxOf(manuscript: Manuscript): Promise<Uint8Array> {
  const { title, authors, notice, sections } = manuscript
  const document = new Document({
    title: title.map(({ text }) => text).join(''),
    creator: authors.map((one) => one.map(({ text }) => text).join('')).join('; ') || 'Authors',
    lastModifiedBy: 'Stagecast',
    styles: {
      default: {
        document: {
          run: { font: 'Times New Roman', size: 24 },
          // Without a line rule, LibreOffice uses an exact height and cuts off the title.
          paragraph: { spacing: { after: 160, line: 320, lineRule: LineRuleType.AUTO } },
        },
        heading1: { run: { size: 30, bold: true }, paragraph: { spacing: { before: 360, after: 160 } } },
        heading2: { run: { size: 26, bold: true }, paragraph: { spacing: { before: 240, after: 120 } } },
        title: { run: { size: 38, bold: true }, paragraph: { spacing: { after: 240 } } },
      },
    },
    sections: [
      {
        children: [
          new Paragraph({ heading: HeadingLevel.TITLE, children: runs(title) }),
          ...authors.map((one) => new Paragraph({ children: runs(one) })),
          ...(notice.length > 0 ? [new Paragraph({ children: runs(notice, { italics: true }) })] : []),
          ...sections.flatMap(({ title: heading, level, blocks }) => [
            new Paragraph({
              heading: level === 1 ? HeadingLevel.HEADING_1 : HeadingLevel.HEADING_2,
              children: [new TextRun(heading)],
            }),
            ...blocks.flatMap(drawn),
          ]),
        ],
      },
    ],
  })
  return withoutTime(new Uint8Array(await Packer.toBuffer(document)))
}

function drawn(block: Block): (Paragraph | Table)[] {
  switch (block.kind) {
    case 'paragraph':
      return [new Paragraph({ children: runs(block.content) })]
    case 'code':
      return [
        new Paragraph({
          indent: { left: 283 },
          children: runs(block.content, { font: 'Courier New', size: 18 }),
        }),
      ]
    case 'list':
      return block.items.map((item) => new Paragraph({ bullet: { level: 0 }, children: runs(item) }))
    case 'table': {
      const widths = widthsOf([block.head, ...block.rows])
      return [
        new Table({
          width: { size: 100, type: WidthType.PERCENTAGE },
          rows: [
            new TableRow({
              tableHeader: true,
              children: block.head.map((cell, at) => cellOf(cell, widths[at], { bold: true })),
            }),
            ...block.rows.map(
              (row) =>
                new TableRow({ cantSplit: true, children: row.map((cell, at) => cellOf(cell, widths[at])) }),
            ),
          ],
        }),
        new Paragraph({ children: [] }),
      ]
    }
  }
}

/** In characters: no column is narrower than a few words or wider than a short line. */
const [NARROWEST, WIDEST] = [10, 40]

/** Column widths in percent, from each column's longest cell. */
function widthsOf(rows: readonly (readonly (readonly Inline[])[])[]): number[] {
  const longest = (rows[0] ?? []).map((_, at) => {
    const lengths = rows.map((row) => (row[at] ?? []).reduce((sum, { text }) => sum + text.length, 0))
    return Math.min(WIDEST, Math.max(NARROWEST, ...lengths))
  })
  const sum = longest.reduce((one, other) => one + other, 0)
  return longest.map((length) => Math.round((100 * length) / sum))
}

function cellOf(content: readonly Inline[], width = 0, options: IRunOptions = {}): TableCell {
  return new TableCell({
    width: { size: width, type: WidthType.PERCENTAGE },
    margins: { top: 60, bottom: 60, left: 100, right: 100 },
    children: [
      new Paragraph({
        spacing: { after: 0, line: 260, lineRule: LineRuleType.AUTO },
        children: runs(content, { ...options, size: 20 }),
      }),
    ],
  })
}

function runs(content: readonly Inline[], options: IRunOptions = {}): TextRun[] {
  return content.map((token) =>
    token.kind === 'gap'
      ? new TextRun({ ...options, text: `[AUTHOR: ${token.text}]`, bold: true, highlight: 'yellow' })
      : new TextRun({ ...options, text: printable(token.text) }),
  )
}

/** XML cannot hold some characters, even escaped. */
function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ').replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '')
}

function withoutTime(docx: Uint8Array): Uint8Array {
  const files = unzipSync(docx)
  const names = Object.keys(files).sort()
  const decode = new TextDecoder()
  const encode = new TextEncoder()
  const entries = names.map((name) => {
    const content = files[name] ?? new Uint8Array()
    if (name !== 'docProps/core.xml') return [name, content]
    const text = decode.decode(content)
    return [name, encode.encode(text.replace(/>\d{4}-\d\d-\d\dT[\d:.]+Z</g, `>${NO_TIME}<`))]
  })
  // fflate writes local time, so a local date gives the same bytes in every time zone.
  return zipSync(Object.fromEntries(entries), { mtime: new Date(1980, 0, 1), level: 6 })
}
