/** Benchmarks run in their smallest form and return rows that report what they measured. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Row } from '../../bench/benchmark.ts'
import { interleave } from '../../bench/interleave.ts'
import { table, verdict } from '../../bench/report.ts'
import { quantile, summarise } from '../../bench/statistics.ts'
import { BENCHMARKS } from '../../bench/suite.ts'
import { BUILD, ROOT } from '../helpers/processes.ts'

const run = promisify(execFile)

/** Runs like `npm run bench`, but through `env`, because tap adds its loaders to every Node process it sees starting. */
async function bench(args: string[]) {
  return run('env', ['-u', 'NODE_OPTIONS', process.execPath, join(BUILD, 'bench', 'run.js'), ...args], {
    cwd: ROOT,
  })
}

/** These two start too many programs for this test; `npm run bench -- --quick` runs them. */
const LONG = ['peers', 'growth']
const names = BENCHMARKS.map(({ name }) => name).filter((name) => !LONG.includes(name))

t.test('every benchmark runs in its smallest form', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-bench-test-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const out = join(dir, 'results.json')
  const { stdout } = await bench([...names, '--quick', '--out', out])
  const { results, quick, machine } = JSON.parse(await readFile(out, 'utf8'))
  t.equal(quick, true)
  t.match(machine, { node: process.version, redis: /^\d/, cpu: String })
  t.same(
    results.map(({ name }: { name: string }) => name),
    names,
  )
  for (const { name, title, rows } of results as { name: string; title: string; rows: Row[] }[]) {
    t.ok(stdout.includes(title), `${name} is printed`)
    t.ok(rows.length > 0, `${name} has rows`)
    for (const row of rows) {
      const measured = row.figure.median !== null || /^memory/.test(row.what)
      t.ok(measured, `${name}: ${row.what}, ${row.subject}`)
      if (/received|exactly/.test(row.what)) t.equal(row.figure.median, 100, `${row.subject} lost nothing`)
    }
  }
})

t.test('an unknown name is rejected', async (t) => {
  const said = (args: string[]) => bench(args).catch(({ code, stderr }) => `${code}: ${stderr}`)
  t.match(
    await said(['nothing-of-the-kind']),
    /^1: Unknown benchmark nothing-of-the-kind; use one of execute, /,
  )
  t.match(await said(['--runs', '0']), /^1: --runs must be a number from 1/)
})

t.test('medians, quantiles and pairs', async (t) => {
  t.same(summarise([3, 1, 2]), { median: 2, min: 1, max: 3 })
  t.same(summarise([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 })
  t.equal(quantile([...Array(100).keys()], 0.99), 99)
  const order: string[] = []
  const subject = (name: string, values: number[]) => async (warmUp: boolean) => {
    order.push(name)
    return { figure: warmUp ? 1000 : (values.shift() as number) }
  }
  const series = await interleave(3, { a: subject('a', [1, 4, 9]), b: subject('b', [1, 2, 3]) })
  t.same(order, ['b', 'a', 'a', 'b', 'b', 'a', 'a', 'b'], 'in turn, the order turned round each time')
  t.same(series.ratio('a', 'b', 'figure'), { median: 2, min: 1, max: 3 }, 'pair by pair, without the warm-up')
})

t.test('a target is judged by the ratio, or without a floor by the figure', async (t) => {
  const one = (median: number) => ({ median, min: median, max: median })
  const row: Row = { what: 'requests', unit: '/s', subject: 'ours', figure: one(5) }
  t.equal(verdict(row), '')
  t.equal(verdict({ ...row, target: { at: 'least', value: 5 } }), 'reached')
  t.equal(verdict({ ...row, ratio: one(0.9), target: { at: 'least', value: 1 } }), 'short')
  t.equal(verdict({ ...row, ratio: one(1.1), target: { at: 'most', value: 1.15 } }), 'reached')
  t.match(
    table({ title: 'A title', rows: [{ ...row, note: 'why' }] }),
    /### A title\n\n\| what.*\n\|-.*\n\| requests \| ours.*5 \/s[\s\S]*why/,
  )
})
