/** A CSV file as a table; its first row names the columns. */
import { useMemo, useState } from 'preact/hooks'
import { readCsv } from './read-file.ts'

/** Rows drawn at a time. */
const AT_ONCE = 50
/** Columns at most; the file has them all. */
const COLUMNS = 40

export function CsvTable({ text, name }: { text: string; name: string }) {
  const [head = [], ...rows] = useMemo(() => readCsv(text), [text])
  const [shown, setShown] = useState(AT_ONCE)
  const isCut = head.length > COLUMNS
  return (
    <>
      <section class="scroll sheet" tabIndex={0} aria-label={`Table: ${name}`}>
        <table>
          <thead>
            <tr>
              {head.slice(0, COLUMNS).map((cell, at) => (
                <th scope="col" key={at}>
                  <bdi>{cell}</bdi>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row, at) => (
              <tr key={at}>
                {head.slice(0, COLUMNS).map((_, place) => (
                  <td key={place} class={classOf(row[place])}>
                    <bdi>{row[place] ?? ''}</bdi>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="row quiet">
        <span>
          {rows.length > shown ? `${shown} of ${rows.length}` : rows.length}{' '}
          {rows.length === 1 ? 'row' : 'rows'}
          {isCut && `, the first ${COLUMNS} of ${head.length} columns`}
        </span>
        {rows.length > shown && (
          <button type="button" class="small" onClick={() => setShown(shown + 4 * AT_ONCE)}>
            Show more rows
          </button>
        )}
      </p>
    </>
  )
}

/** Characters that stay in one line. */
const SHORT = 24

function classOf(cell = ''): string | undefined {
  if (/^-?[\d.,]+ ?%?$/.test(cell)) return 'figure'
  return cell.length <= SHORT ? 'short' : undefined
}
