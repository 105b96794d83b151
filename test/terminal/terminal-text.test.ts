import t from 'tap'
import { tellPreview } from '../../packages/client/terminal/preview.ts'
import { progressBar, type Shown } from '../../packages/client/terminal/progress-bar.ts'
import { cut, fit, plain } from '../../packages/client/terminal/terminal-text.ts'

function news(overrides: Partial<Shown> = {}): Shown {
  return { progress: 20, attempt: 1, message: 'calling', ...overrides }
}

const ERASE_REST = '\x1b[K'

function output(isTTY: boolean, columns = 60) {
  const written: string[] = []
  return { written, isTTY, columns, write: (text: string) => written.push(text) }
}

t.test('foreign text cannot control the terminal', async (t) => {
  t.equal(plain('a\x1b[2Jb\r\nc\u009b1md\u202ee'), 'a [2Jb c 1md e')
})

t.test('cut and fit count columns, not characters', async (t) => {
  t.equal(cut('short', 5), 'short')
  t.equal(cut('too long', 5), 'too…')
  t.equal(cut('間欠的断食', 7), '間欠的…')
  t.equal(cut('e\u0301e\u0301e\u0301', 3), 'e\u0301e\u0301e\u0301', 'a letter and its accent are one')
  t.equal(fit('間欠', 6), '間欠  ')
  t.equal(fit('abc', 6), 'abc   ')
})

t.test('on a terminal the bar is one line, redrawn and never wrapped', async (t) => {
  const out = output(true, 60)
  const bar = progressBar(out)
  bar.show(news({ progress: 50, message: 'm'.repeat(100) }))
  bar.show(news({ progress: 100, attempt: 2 }))
  bar.end()
  bar.end()
  const [half = '', full = '', ...rest] = out.written
  const whole = (line: string) => t.ok(line.startsWith('\r') && line.endsWith(ERASE_REST))
  whole(half)
  whole(full)
  t.match(half, /█{15}░{15} {2}50 % {2}attempt 1 {2}m+…/)
  t.equal(half.length, 59 + '\r'.length + ERASE_REST.length)
  t.match(full, /█{30} 100 % {2}attempt 2 {2}calling/)
  t.strictSame(rest, ['\n'], 'one line break, once')
})

t.test('elsewhere each step is one line', async (t) => {
  const out = output(false)
  const bar = progressBar(out)
  bar.show(news({ progress: 33.7, message: 'two\nlines' }))
  bar.show(
    news({ message: 'failed', error: { code: 'TIMEOUT', message: 'too slow', retryable: true, attempt: 1 } }),
  )
  bar.end()
  t.strictSame(out.written, [
    ' 33 %  attempt 1  two lines\n',
    ' 20 %  attempt 1  failed (TIMEOUT: too slow)\n',
  ])
})

t.test('a preview as a table', async (t) => {
  const shown = tellPreview(
    {
      notice: 'Sample data',
      concepts: [
        { role: 'topic', terms: ['sleep'], synonyms: ['napping'], required: true },
        { role: 'outcome', terms: ['better'], synonyms: [], required: false },
      ],
      left_out: [{ word: 'does', reason: 'a word of asking' }],
      lines: [
        { line: 1, what: 'sleep', hits: { europepmc: 12345, pubmed: null } },
        { line: 2, what: 'the query that \u001b[31mwould be sent', hits: { europepmc: 7, pubmed: 0 } },
      ],
      queries: [
        {
          source: 'europepmc',
          says: 'all',
          request: { query: 'sleep*' },
          remarks: ['odd'],
          not_in_query: [],
        },
        { source: 'pubmed', request: null, not_in_query: [{ word: 'nap', reason: 'rare' }] },
      ],
    },
    70,
  )
  t.match(
    shown,
    /^Sample data\n\nGroups\n {2}topic: sleep \(also napping\)\n {2}outcome: better, only for ranking\n/,
  )
  t.match(shown, /\n {4}1 sleep +12,345 +no answer\n/)
  t.match(shown, /\n {4}2 the query that {2}\[31mwould be sent +7 +0\n/)
  t.match(shown, /Query for europepmc\n {2}searches for all\n {2}query: sleep\*\n {2}odd\n/)
  t.match(shown, /without "nap": rare/)
  t.ok(shown.split('\n').every((line) => line.length <= 70))
  t.equal(tellPreview({ lines: 7, queries: [null] }), '')
})
