/** The commands for workflow runs, against the real API and worker. */
import { randomUUID } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Stagecast } from '../../packages/client/index.ts'
import { EXIT, readCommand, UsageError } from '../../packages/client/terminal/command.ts'
import { runCommand } from '../../packages/client/terminal/commands.ts'
import { createOutput } from '../../packages/client/terminal/output.ts'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'

async function setUp(t: Test) {
  const service = await fakeStageService(t, succeed())
  const stages = await stagesFile(t, [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }])
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: stages })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const stagecast = new Stagecast({ baseUrl: url, token: token() })
  return async (args: string[], json = true) => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const output = createOutput({ stdout, stderr } as never, json)
    const { signal } = new AbortController()
    const exit = await runCommand(readCommand(args), { stagecast, output, signal })
    stdout.end()
    stderr.end()
    const lines = (await text(stdout)).trimEnd().split('\n')
    return { exit, lines, last: json ? JSON.parse(lines.at(-1) ?? '') : null, notes: await text(stderr) }
  }
}

t.test('plan, run, and sign off with the printed command', async (t) => {
  const run = await setUp(t)
  const workflow = randomUUID()
  const plan = await run(['plan', '1', '2', '--workflow', workflow], false)
  t.equal(plan.exit, EXIT.ok)
  t.match(plan.lines[0], /^ {2}1 run +never run$/)
  t.match(plan.lines[1], /^ {2}2 run .*waits for a sign-off$/)

  const waits = await run(['run-workflow', '1', '2', '--workflow', workflow, '--name', 'mine'])
  t.match(waits, { exit: EXIT.ok, last: { status: 'waiting', name: 'mine', workflow_id: workflow } })
  const { sign_offs } = (await run(['sign-off'])).last
  t.match(sign_offs, [{ run_id: waits.last.run_id, stage: 2 }])
  const [, how = ''] = /-- (sign-off .*)/.exec(waits.notes) ?? []
  t.match(await run(how.split(' '), false), { exit: EXIT.ok, lines: [/^Stage 2 is approved\./] })
  t.same((await run(['sign-off'])).last.sign_offs, [])

  const twice = ['run-workflow', '1', '2', '--workflow', randomUUID()]
  const told = (await run(twice, false)).lines
  t.equal(told.filter((line) => /never run$/.test(line)).length, 2, 'the reason for a step is printed once')
  t.notOk(told.includes(''), 'progress without a message prints no line')
  t.equal(told.filter((line) => /^Run /.test(line)).length, 2, 'nor does an unchanged run')

  const again = await run(['run-workflow', '1', '2', '--workflow', workflow], false)
  t.same(again.lines, [
    '  1 reused            because: nothing changed',
    '  2 reused            because: nothing changed',
    'Run completed',
  ])
  const rerun = await run(['plan', '1', '2', '--workflow', workflow, '--rerun', '1'])
  t.match(rerun.last.steps, [{ action: 'run' }, { action: 'run_if_changed', sign_off: 'if_changed' }])
})

t.test('watching a run in progress, its status, and cancelling it', async (t) => {
  const run = await setUp(t)
  const workflow = randomUUID()
  const started = await run(['run-workflow', '1', '2', '--workflow', workflow, '--detach'])
  const { run_id } = started.last
  const watched = await run(['watch', workflow, run_id])
  t.match(watched, { exit: EXIT.ok, last: { run_id, status: 'waiting' } })
  t.match(watched.notes, `sign-off ${workflow} ${run_id} 2 --approve`)
  const cursors = watched.lines.map((line) => (JSON.parse(line) as { cursor: string }).cursor)
  t.same(cursors, [...new Set(cursors)].sort(), 'each state once')
  const looked = await run(['status', workflow, run_id], false)
  t.same(
    [looked.exit, ...looked.lines],
    [
      EXIT.ok,
      '  1 completed         because: never run',
      '  2 awaiting_sign_off because: never run',
      'Run waiting',
    ],
  )
  t.same((await run(['cancel', workflow, run_id], false)).lines, ['The run is cancelled.'])
  t.equal((await run(['watch', workflow, run_id])).exit, EXIT.cancelled)
  await t.rejects(run(['watch', workflow, randomUUID()]), { status: 404, code: 'RUN_NOT_FOUND' })
  await t.rejects(run(['watch', workflow, run_id, '--after', '0']), /does not take --after/)
})

t.test('errors on the command line', async (t) => {
  const run = await setUp(t)
  const ids = ['sign-off', randomUUID(), randomUUID()]
  for (const [args, message] of [
    [['run-workflow', '0'], /^STAGE must be/],
    [['plan', '1', '--key', 'k'], /^plan does not take --key/],
    [['plan'], /^plan needs STAGE/],
    [['plan', '1', '--inputs', '7'], /^--inputs must be a JSON object/],
    [ids, /needs WORKFLOW, RUN and STAGE/],
    [[...ids, '2'], /needs either --approve/],
    [[...ids, '2', '--approve', 'a', '--reject', 'b'], /needs either --approve/],
  ] as const)
    await t.rejects(async () => run([...args]), { constructor: UsageError, message }, args.join(' '))
})
