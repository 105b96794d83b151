/** Turns tap's output into lines for people: one per test file, the details of failures, and the counts. */
import type { Readable } from 'node:stream'
import { Parser, type Result } from 'tap-parser'
import { stringify } from 'yaml'

export interface Report {
  passed: number
  failed: number
  /** The name of each skipped test, with its reason if it gives one. */
  skipped: string[]
  /** Test files with a failure. */
  failedFiles: string[]
}

/** Reads a TAP stream to its end. Assertions are counted, and a test that fails as a whole counts as one. */
export function report(tap: Readable, print: (line: string) => void): Promise<Report> {
  const total: Report = { passed: 0, failed: 0, skipped: [], failedFiles: [] }
  const root = new Parser()
  follow(root, [], total, print)
  root.on('bailout', (reason: string) => {
    total.failed += 1
    print(`Bail out! ${reason}`)
  })
  return new Promise((done, failed) => {
    root.on('complete', () => done(total))
    tap.on('error', failed)
    tap.pipe(root)
  })
}

function follow(parser: Parser, path: string[], total: Report, print: (line: string) => void): void {
  let before = snapshot(total)
  let details: string[] = []
  const atTop = path.length === 0

  parser.on('child', (child: Parser) => {
    before = snapshot(total)
    // Print the details after the line of the file.
    follow(child, [...path, child.name], total, atTop ? (line) => details.push(line) : print)
  })
  parser.on('assert', (result: Result) => {
    // The last point of a subtest repeats its assertions, unless the subtest failed as a whole.
    const repeats = result.closingTestPoint && !result.skip && (result.ok || total.failed > before.failed)
    if (!repeats) count(result, [...path, result.name], total, atTop ? (line) => details.push(line) : print)
    if (!atTop) return
    // tap names a file that took too long only in the details.
    const { expired } = (result.diag ?? {}) as { expired?: string }
    const name = sourceOf(expired ?? result.name)
    if (!result.ok && name.endsWith('.test.ts')) total.failedFiles.push(name)
    print(`${result.ok ? 'ok    ' : 'FAILED'} ${name}  ${difference(before, total)}${seconds(result)}`)
    for (const line of details) print(line)
    details = []
  })
}

/** Tests run compiled, but are shown under the names of their sources. */
function sourceOf(file: string): string {
  return file.replace(/^\.stagecast\/build\/(.*)\.js$/, '$1.ts')
}

function count(result: Result, path: string[], total: Report, print: (line: string) => void): void {
  const reason = result.skip || result.todo
  if (reason) {
    total.skipped.push(path.join(' > ') + (typeof reason === 'string' ? `: ${reason}` : ''))
  } else if (result.ok) {
    total.passed += 1
  } else {
    total.failed += 1
    print(`\n  ✖ ${path.join(' > ')}`)
    const details = result.diag ? stringify(result.diag, { lineWidth: 0 }) : (result.tapError ?? '')
    print(details.replace(/^/gm, '    '))
  }
}

function snapshot({ passed, failed, skipped }: Report) {
  return { passed, failed, skipped: skipped.length }
}

function difference(before: ReturnType<typeof snapshot>, { passed, failed, skipped }: Report): string {
  const parts = [
    [passed - before.passed, 'passed'],
    [failed - before.failed, 'failed'],
    [skipped.length - before.skipped, 'skipped'],
  ] as const
  const told = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  return told.join(', ') || 'no tests'
}

function seconds({ time }: Result): string {
  return time === null ? '' : `  (${(time / 1000).toFixed(1)} s)`
}
