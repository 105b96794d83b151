/** Whose fault a failure is: every code that the documentation names says more than the general rule. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blameOf } from '../../packages/console/job/blame.ts'
import { ROOT } from '../helpers/processes.ts'

/** The codes of failed jobs in docs/api.md. A cancelled job has not failed. */
function documented(): string[] {
  const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')
  const table = page.slice(page.indexOf('| `error.code` |'))
  const codes = [...table.matchAll(/^\| `([A-Z_0-9]+)`/gm)].map(([, code = '']) => code)
  return codes.filter((code) => code !== 'CANCELLED')
}

t.test('every documented code has its own advice', async (t) => {
  const codes = documented()
  t.ok(codes.length > 10, codes.join())
  const general = blameOf({ code: 'SOMETHING_ELSE', retryable: false })
  for (const code of codes) {
    const blame = blameOf({ code, retryable: false })
    t.not(blame.advice, general.advice, code)
    t.not(blame.whose, general.whose, `${code} is not the input's fault`)
  }
})

t.test("a service's own code: it knows whether the same input may succeed", async (t) => {
  t.match(blameOf({ code: 'TOO_FEW_PAPERS', retryable: false }), { whose: /input/, retry: false })
  t.match(blameOf({ code: 'MODEL_BUSY', retryable: true }), { whose: /service failed/, retry: true })
  t.match(blameOf({ code: 'STAGE_SERVICE_422', retryable: false }), { whose: /input/, retry: false })
  t.match(blameOf({ code: 'STAGE_SERVICE_503', retryable: true }), { whose: /service failed/, retry: true })
  t.match(blameOf({ code: 'STAGE_SERVICE_401', retryable: false }), { whose: /operator/ })
  t.match(blameOf({ code: 'STAGE_SERVICE_302', retryable: false }), { whose: /operator/ })
  t.match(blameOf({ code: 'INTERNAL_ERROR', retryable: false }), { whose: /Stagecast/ })
  t.match(blameOf({ code: 'INTERNAL_ERROR', retryable: true }), { whose: /service failed/ })
})
