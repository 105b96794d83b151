/** The form of the events that an Accept header selects, by RFC 9110. */
import t from 'tap'
import { preferredForm } from '../../routes/accept.ts'

const AXIOS = 'application/json, text/plain, */*'

t.test('the form by Accept', async (t) => {
  const cases: [accept: string | undefined, form: 'stream' | 'page' | null][] = [
    [undefined, 'stream'],
    ['', 'stream'],
    ['*/*', 'stream'],
    ['text/*', 'stream'],
    ['application/*', 'page'],
    ['text/event-stream', 'stream'],
    ['text/event-stream;charset=utf-8', 'stream'],
    ['text/event-stream; charset="UTF-8"', 'stream'],
    ['Text/Event-Stream ; Charset=utf-8 ; q=0.5', 'stream'],
    ['application/json;charset=utf-8', 'page'],
    ['application/json; charset=utf-8; q=0.1', 'page'],
    [AXIOS, 'page'],
    ['*/*, application/json', 'page'],
    ['application/json, text/event-stream', 'stream'],
    ['text/event-stream, application/json', 'stream'],
    ['application/json;q=0.5, text/event-stream;q=0.5', 'stream'],
    ['application/json;q=0.9, text/event-stream;q=0.8', 'page'],
    ['text/event-stream;q=0.8, application/json;q=0.9', 'page'],
    ['text/event-stream;q=0.9, application/json;q=0.8', 'stream'],
    ['text/event-stream, */*;q=0.1', 'stream'],
    ['*/*;q=0.1, text/event-stream', 'stream'],
    ['application/json;q=0.2, */*;q=0.5', 'stream'],
    ['text/event-stream;q=0, */*', 'page'],
    ['application/json;q=0, */*', 'stream'],
    ['text/event-stream;q=0', null],
    ['*/*;q=0', null],
    ['*/*;q=0, application/json;q=0.001', 'page'],
    ['text/html, image/png', null],
    ['text/html, application/json;q=0.1', 'page'],
    ['application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'stream'],
    ['text/event-stream;charset=iso-8859-1', null],
    ['application/json;profile="a,b;c", text/event-stream;q=0.1', 'stream'],
    ['text/event-stream;q=0.1, text/event-stream;charset=utf-8;q=0.9, application/json;q=0.5', 'stream'],
    ['application/json;q=nonsense, text/event-stream;q=0.9', 'page'],
    [',, text/event-stream ,', 'stream'],
    ['text/event-stream, "', 'stream'],
  ]
  for (const [accept, form] of cases) t.equal(preferredForm(accept), form, `Accept: ${accept}`)
})

t.test('a long header is parsed quickly', async (t) => {
  const start = performance.now()
  preferredForm(`${'text/event-stream;a="'.repeat(700)}`)
  preferredForm(`${','.repeat(8000)}${'"'.repeat(8000)}`)
  preferredForm(`"${'\\'.repeat(16000)}`)
  t.ok(performance.now() - start < 500)
})
