/** A librarian's table: one row per group and one for the whole, with the hits in each source; then the queries. */
import { words } from '../form/schema.ts'
import type { Preview, SourceQuery } from './read-preview.ts'

interface PreviewViewProps {
  preview: Preview
  /** Copies a source's query into the user's own; without it the button is hidden. */
  onTake?: ((query: SourceQuery) => void) | undefined
}

export function PreviewView({ preview, onTake }: PreviewViewProps) {
  const { sources, lines, queries, warnings, notice } = preview
  return (
    <div class="preview">
      {notice && (
        <p class="note sample">
          <bdi>{notice}</bdi>
        </p>
      )}
      {warnings.length > 0 && (
        <ul class="note">
          {warnings.map((warning) => (
            <li key={warning}>
              <bdi>{warning}</bdi>
            </li>
          ))}
        </ul>
      )}
      {lines.length > 0 && (
        // Many sources are wider than a phone, so the table scrolls on its own.
        <section class="scroll" tabIndex={0} aria-label="Hits by group and source">
          <table class="hits">
            <caption class="unseen">Hits by group and source</caption>
            <thead>
              <tr>
                <th scope="col">Line</th>
                <th scope="col">What is searched</th>
                {sources.map((source) => (
                  <th scope="col" class="count" key={source}>
                    {words(source)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {lines.map(({ line, what, hits }, at) => (
                <tr key={line} class={at === lines.length - 1 ? 'whole' : ''}>
                  <td class="quiet">{line}</td>
                  <th scope="row">
                    <bdi>{what}</bdi>
                  </th>
                  {hits.map((count, place) => (
                    <td class={count === 0 ? 'count none' : 'count'} key={sources[place]}>
                      {count === null ? 'no answer' : count.toLocaleString()}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {queries.map((query) => (
        <Query key={query.source} query={query} onTake={onTake} />
      ))}
    </div>
  )
}

function Query({ query, onTake }: { query: SourceQuery; onTake: PreviewViewProps['onTake'] }) {
  const { source, says, remarks, more, lost } = query
  return (
    <section class="query" aria-label={`Query for ${words(source)}`}>
      <div class="row">
        <h3>The query for {words(source)}</h3>
        {onTake && query.query && (
          <button type="button" class="small push" onClick={() => onTake(query)}>
            Edit as my own query
          </button>
        )}
      </div>
      {says && (
        <p class="hint">
          It searches for <bdi>{says}</bdi>.
        </p>
      )}
      {query.query ? (
        <pre class="answer" tabIndex={0}>
          {query.query}
        </pre>
      ) : (
        <p class="hint">No query could be built.</p>
      )}
      {more.length > 0 && (
        <p class="hint">
          With{' '}
          {more.map(([name, value], at) => (
            <span key={name}>
              {at > 0 && ', '}
              <bdi>
                {name} {value}
              </bdi>
            </span>
          ))}
        </p>
      )}
      {remarks.map((remark) => (
        <p class="hint" key={remark}>
          {words(source)} says: <bdi>{remark}</bdi>
        </p>
      ))}
      {lost.length > 0 && (
        <p class="hint">
          Not in this query:{' '}
          {lost.map(({ word, reason }, at) => (
            <span key={word}>
              {at > 0 && '; '}
              <bdi>{word}</bdi>
              {reason && (
                <>
                  {' '}
                  (<bdi>{reason}</bdi>)
                </>
              )}
            </span>
          ))}
        </p>
      )}
    </section>
  )
}
