import { Readable } from 'node:stream'
import t from 'tap'
import { report } from './run-report.ts'

async function reportOf(tap: string) {
  const lines: string[] = []
  const counts = await report(Readable.from([tap]), (line) => lines.push(line))
  return { ...counts, lines, text: lines.join('\n') }
}

t.test('assertions are counted once at any depth, and each file has one line', async (t) => {
  const { lines, ...counts } = await reportOf(`TAP version 14
# Subtest: test/a.test.ts
    # Subtest: outer
        ok 1 - one
        # Subtest: inner
            ok 1 - two
            ok 2 - three
            1..2
        ok 2 - inner
        1..2
    ok 1 - outer
    1..1
ok 1 - test/a.test.ts # time=1234ms
# Subtest: test/b.test.ts
    ok 1 - four
    1..1
ok 2 - test/b.test.ts # time=10ms
1..2
`)
  t.match(counts, { passed: 4, failed: 0, skipped: [] })
  t.strictSame(lines, [
    'ok     test/a.test.ts  3 passed  (1.2 s)',
    'ok     test/b.test.ts  1 passed  (0.0 s)',
  ])
})

t.test('a failure shows its path and details after the line of its file', async (t) => {
  const { text, lines, ...counts } = await reportOf(`TAP version 14
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - fine
        not ok 2 - should be equal
          ---
          diff: |
            -one
            +two
          ...
        1..2
    not ok 1 - adds
    1..1
not ok 1 - test/a.test.ts # time=10ms
1..1
`)
  t.match(counts, { passed: 1, failed: 1, failedFiles: ['test/a.test.ts'] })
  t.equal(lines[0], 'FAILED test/a.test.ts  1 passed, 1 failed  (0.0 s)')
  t.match(text, /✖ test\/a\.test\.ts > adds > should be equal\n[\s\S]*-one\n +\+two/)
})

t.test('a test that fails as a whole counts as a failure, even if no assertion failed', async (t) => {
  const { text, ...counts } = await reportOf(`TAP version 14
# Subtest: test/a.test.ts
    ok 1 - fine
    1..1
not ok 1 - test/a.test.ts # time=10ms
  ---
  exitCode: 3
  ...
not ok 2 - test/crash.test.ts
  ---
  signal: SIGSEGV
  ...
1..2
`)
  t.match(counts, { passed: 1, failed: 2 })
  t.match(text, /✖ test\/a\.test\.ts\n +exitCode: 3/)
  t.match(text, /✖ test\/crash\.test\.ts\n +signal: SIGSEGV/)
})

t.test('skipped and todo tests are named with their reason and do not count as passed', async (t) => {
  const { passed, failed, skipped } = await reportOf(`TAP version 14
# Subtest: test/a.test.ts
    ok 1 - in a browser # SKIP no Chromium
    not ok 2 - later # TODO
    1..2
ok 1 - test/a.test.ts
ok 2 - test/b.test.ts # SKIP no Python
1..2
`)
  t.match({ passed, failed }, { passed: 0, failed: 0 })
  t.strictSame(skipped, [
    'test/a.test.ts > in a browser: no Chromium',
    'test/a.test.ts > later',
    'test/b.test.ts: no Python',
  ])
})

t.test('a bail-out and an empty stream do not succeed', async (t) => {
  t.match(await reportOf('TAP version 14\nok 1 - fine\nBail out! no disk\n'), { passed: 1, text: /no disk/ })
  t.not((await reportOf('TAP version 14\nBail out! no disk\n')).failed, 0)
  t.match(await reportOf(''), { passed: 0 })
})

t.test('a file that took too long is named', async (t) => {
  const { failedFiles, failed } = await reportOf(`TAP version 14
# Subtest: .stagecast/build/test/a.test.js
    # Subtest: hangs
        not ok 1 - timeout!
        1..1
    not ok 1 - hangs
    1..1
not ok 1 - timeout!
  ---
  expired: .stagecast/build/test/a.test.js
  ...
1..1
`)
  t.same(failedFiles, ['test/a.test.ts'])
  t.ok(failed > 0)
})
