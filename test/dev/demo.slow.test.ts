import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { findProgram } from '../../dev/find-redis.mjs'
import { program } from '../helpers/processes.ts'
import { openQueue } from '../helpers/queue.ts'
import { privateRedis, randomPrefix } from '../helpers/redis.ts'

const DEMO = program('dev/demo.ts')

interface Run {
  demo: ChildProcess
  /** All output so far, from both streams. */
  said: string[]
  /** Resolves at the first line that matches. */
  line(pattern: RegExp): Promise<string>
  /** Exit code or signal. */
  end: Promise<number | string>
  dataDir: string
}

/** Runs the demo with a separate data folder; it is stopped at the end of the test. */
async function run(t: Test, question: string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'demo-')))
  const demo = spawn(process.execPath, [DEMO, ...question], {
    env: { ...process.env, STAGE_PACE_MS: '0', ...env, STAGECAST_DATA: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  const waiting = new Set<(line: string) => void>()
  for (const output of [demo.stdout, demo.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      said.push(line)
      for (const tell of waiting) tell(line)
    })
  }
  const end = once(demo, 'close').then(([code, signal]) => signal ?? code)
  t.teardown(async () => {
    demo.kill('SIGTERM')
    await end
    await rm(dataDir, { recursive: true, force: true })
  })
  const line = (pattern: RegExp) =>
    new Promise<string>((done) => {
      const seen = said.find((text) => pattern.test(text))
      if (seen !== undefined) done(seen)
      else waiting.add((text) => pattern.test(text) && done(text))
    })
  return { demo, said, line, end, dataDir }
}

/** The embedded Redis removes its lock file last of all. */
const redisLock = (dataDir: string) => join(dataDir, 'redis', 'redis.lock')

t.test(
  'shows the progress of its question in order, then the review, and leaves nothing running',
  async (t) => {
    const { said, end, dataDir } = await run(t, [])
    t.equal(await end, 0, said.join('\n'))
    const text = said.join('\n')
    t.match(text, 'What are the effects of intermittent fasting on cardiovascular health?')

    const percents = said.flatMap((line) => /^ *(\d+) % {2}attempt \d/.exec(line)?.[1] ?? []).map(Number)
    t.strictSame(
      percents,
      [...percents].sort((a, b) => a - b),
      'progress never decreases',
    )
    for (const milestone of [10, 20, 80, 100]) t.ok(percents.includes(milestone), `milestone ${milestone}`)
    t.ok(
      percents.some((percent) => percent > 20 && percent < 80),
      'the steps of the service in between',
    )

    t.match(text, /# {2}Year {2}Kind of study .*Title .*Score/)
    t.match(text, /^ {2}1 {2}20\d\d {2}.*0\.\d{4}$/m)
    const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1])
    const screened = number(/(\d+) papers screened\./)
    t.ok(screened > 0)
    t.equal(number(/(\d+) records found/), number(/(\d+) duplicates/) + screened, 'the counts add up')
    t.equal(
      screened,
      number(/Of these (\d+) included/) + number(/(\d+) excluded/) + number(/(\d+) uncertain/),
    )
    t.match(text, /Note: Sample data: every record/)
    t.match(text, /npm run -s stage -- artifacts 2 [\w-]{36} literature_review\.json/)
    const file = /^The review is in (\S+)$/m.exec(text)?.[1] ?? ''
    t.ok(existsSync(file), 'the file is where it says')
    t.notOk(existsSync(redisLock(dataDir)), 'Redis is gone')
  },
)

t.test('shows readably why the API rejects a question', async (t) => {
  const { said, end, dataDir } = await run(t, ['Why?'])
  t.equal(await end, 1)
  t.match(said.join('\n'), /The demo failed: The API answered 400: [\s\S]*research_question/)
  t.notOk(existsSync(redisLock(dataDir)))
})

t.test('other Redis servers and jobs are not touched, whatever the environment names', async (t) => {
  const { url } = await privateRedis(t)
  const prefix = randomPrefix()
  const queue = openQueue(t, { REDIS_URL: url, REDIS_PREFIX: prefix })
  await queue.add('foreign', {})
  const { said, end } = await run(t, [], { REDIS_URL: url, REDIS_PREFIX: prefix })
  t.equal(await end, 0, said.join('\n'))
  const { waiting, ...others } = await queue.getJobCounts()
  t.equal(waiting, 1)
  t.ok(Object.values(others).every((count) => count === 0))
})

/** The demo is running its first step when it is stopped, and has little time to end. */
const BUSY = { STAGE_PACE_MS: '60000', SHUTDOWN_GRACE_MS: '1000' }

t.test('a blank question is rejected', async (t) => {
  const { said, end } = await run(t, [' '.repeat(12)])
  t.equal(await end, 0, said.join('\n'))
  t.match(said.join('\n'), 'What are the effects of intermittent fasting')
})

t.test('when the reader of its output exits, the demo stops quietly', async (t) => {
  const { demo, said, line, end, dataDir } = await run(t, [])
  await line(/^Question/)
  demo.stdout?.destroy()
  t.equal(await end, 130)
  t.notMatch(said.join('\n'), /EPIPE| at /)
  t.notOk(existsSync(redisLock(dataDir)))
})

t.test('if the server does not start, the demo shows its output and exits with 1', async (t) => {
  const { said, end } = await run(t, [], { STAGE_WORKER_CONCURRENCY: 'many' })
  t.equal(await end, 1)
  t.match(said.join('\n'), /The server exited unexpectedly \(exit code 1\)[\s\S]*STAGE_WORKER_CONCURRENCY/)
})

t.test('asks the given question; Ctrl-C in the middle stops everything', async (t) => {
  const { demo, said, line, end, dataDir } = await run(t, ['Does a vegan diet', 'help?'], BUSY)
  await line(/^Question {2}Does a vegan diet help\?$/)
  await line(/calling the stage service/)
  t.ok(existsSync(redisLock(dataDir)))
  demo.kill('SIGINT')
  t.equal(await end, 130)
  t.match(said.join('\n'), /The demo was stopped by SIGINT/)
  t.notOk(existsSync(redisLock(dataDir)))
})

t.test('a demo killed with SIGKILL leaves neither server nor Redis behind', async (t) => {
  const { demo, line, dataDir } = await run(t, [], BUSY)
  const server = await line(/^Server/)
  await line(/calling the stage service/)
  const redis = connect(join(dataDir, 'redis', 'redis.sock'))
  const api = connect(Number(/127\.0\.0\.1:(\d+)/.exec(server)?.[1]), '127.0.0.1')
  await Promise.all([once(redis, 'connect'), once(api, 'connect')])
  const gone = Promise.all([redis, api].map((socket) => once(socket.resume(), 'close')))
  demo.kill('SIGKILL')
  await gone
  t.pass('both closed their connections')
})

const STAGES = [1, 2, 10, 14, 16]

t.test('runs a workflow from the question to the manuscript and its checklist', async (t) => {
  const { said, end, dataDir } = await run(t, ['--workflow', '--approve'])
  t.equal(await end, 0, said.join('\n'))
  const text = said.join('\n')
  t.same(
    said.flatMap((line) => /^ +(\d+) {2}\S.* {2}runs: has not run before/.exec(line)?.[1] ?? []).map(Number),
    STAGES,
    'the plan',
  )
  t.same(
    said.flatMap((line) => /^Stage (\d+): /.exec(line)?.[1] ?? []).map(Number),
    STAGES,
    'the stages, one after the other',
  )
  t.match(
    text,
    /Stage 10, Gap analysis, waits for your sign-off[\s\S]*gaps\.md[\s\S]*Approved, because of --approve/,
  )
  t.match(text, /Stage 14, Manuscript drafting, waits for your sign-off[\s\S]*Approved, because of --approve/)
  t.match(text, /PRISMA 2020, 27 items: \d+ reported/)
  t.equal(
    said.filter((line) => /^ {2,3}\d+ {2}.*(reported|for the author|not assessed)/.test(line)).length,
    27,
  )
  for (const file of ['manuscript.docx', 'manuscript.md', 'checklist.md']) {
    const path = said.map((line) => /(\S+)$/.exec(line)?.[1] ?? '').find((one) => one.endsWith(`/${file}`))
    t.ok(path && existsSync(path), `${file} is where it says`)
  }
  t.notOk(existsSync(redisLock(dataDir)), 'Redis is gone')
})

t.test('a workflow without a terminal and without --approve does not start', async (t) => {
  const { said, end } = await run(t, ['--workflow'])
  t.equal(await end, 2)
  t.match(said.join('\n'), /There is no terminal to ask at the gates[\s\S]*--approve/)
  t.notMatch(said.join('\n'), /Server/)
  const alone = await run(t, ['--approve'])
  t.equal(await alone.end, 2)
  const unknown = await run(t, ['--workflows'])
  t.equal(await unknown.end, 2)
  t.match(unknown.said.join('\n'), /Unknown option '--workflows'/)
})

const noTerminal =
  process.platform === 'linux' && findProgram('script', process.env) ? false : 'script(1) is not installed'

/** The demo at a terminal; `answers` are typed at its prompts, one each. */
async function atTerminal(t: Test, answers: [RegExp, string][]) {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'demo-')))
  const command = `exec '${process.execPath}' '${DEMO}' --workflow`
  const demo = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, STAGE_PACE_MS: '0', STAGECAST_DATA: dataDir },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  let said = ''
  let heard = 0
  demo.stdout.on('data', (part) => {
    said += part
    const found = answers[0]?.[0].exec(said.slice(heard))
    if (!found) return
    heard = said.length
    demo.stdin.write(answers.shift()?.[1])
  })
  const [code] = await once(demo, 'close')
  t.same(answers, [], said)
  return { said, code, dataDir }
}

t.test('asks at each gate; a rejection needs a reason and ends the run', { skip: noTerminal }, async (t) => {
  const { said, code, dataDir } = await atTerminal(t, [
    [/Approve it\? \(y\/n\) /, 'perhaps\n'],
    [/Approve it\? \(y\/n\) /, 'y\n'],
    [/Stage 14, [\s\S]*Approve it\? \(y\/n\) /, 'n\n'],
    [/Why not\? /, '\n'],
    [/A rejection needs a reason[\s\S]*Approve it\? \(y\/n\) /, 'n\n'],
    [/Why not\? /, 'Too short\n'],
  ])
  t.equal(code, 0, said)
  t.match(said, /You rejected stage 14, Manuscript drafting, so the run has ended and stage 16 did not run/)
  t.notOk(existsSync(redisLock(dataDir)))
})

t.test('Ctrl-C at a gate stops everything', { skip: noTerminal }, async (t) => {
  const { said, code, dataDir } = await atTerminal(t, [[/Approve it\? \(y\/n\) /, '\x03']])
  t.equal(code, 130, said)
  t.match(said, /The demo was stopped by SIGINT/)
  t.notOk(existsSync(redisLock(dataDir)))
})
