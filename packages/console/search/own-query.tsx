/** The user's own query: one for all sources, or one per source. */
import { words } from '../form/schema.ts'

/** One text for all sources, or texts by source. */
export type OwnQueryValue = string | Readonly<Record<string, string>>

interface OwnQueryProps {
  value: OwnQueryValue
  /** The sources to search. */
  sources: readonly string[]
  fault: string | undefined
  onChange(value: OwnQueryValue): void
}

export function OwnQuery({ value, sources, fault, onChange }: OwnQueryProps) {
  const bySource = typeof value !== 'string'
  const toOne = () => onChange(bySource ? (Object.values(value).find((text) => text.trim()) ?? '') : value)
  const toEach = () =>
    onChange(bySource ? value : Object.fromEntries(sources.map((source) => [source, value])))
  return (
    <div class={fault ? 'field faulty' : 'field'}>
      <p class="hint" id="own-query-hint">
        It is sent word for word. Years, language and keywords from the options apply only in the screening.
      </p>
      {sources.length > 1 && (
        <fieldset class="switch">
          <legend class="unseen">One query, or one for each source</legend>
          <label>
            <input type="radio" name="own-query" checked={!bySource} onChange={toOne} />
            One for all sources
          </label>
          <label>
            <input type="radio" name="own-query" checked={bySource} onChange={toEach} />
            One for each
          </label>
        </fieldset>
      )}
      {bySource ? (
        sources.map((source) => (
          <label class="labelled" key={source}>
            {words(source)}
            <textarea
              class="code"
              rows={3}
              spellcheck={false}
              value={value[source] ?? ''}
              onInput={(event) => onChange({ ...value, [source]: event.currentTarget.value })}
            />
          </label>
        ))
      ) : (
        <textarea
          class="code"
          rows={4}
          spellcheck={false}
          aria-label="Your query"
          placeholder='("intermittent fasting" OR "time-restricted eating") AND "blood pressure"'
          value={value}
          aria-describedby="own-query-hint own-query-fault"
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      <p class="fault" id="own-query-fault">
        {fault && `Query ${fault}.`}
      </p>
    </div>
  )
}
