import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { ERRORS, type ErrorCode, Problem, ProblemError, toProblem } from '../../contract/errors.ts'

t.test('every row of the table makes a complete problem', async (t) => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const { status, title } = ERRORS[code]
    const problem = toProblem(code, 'what to do')
    t.ok(Value.Check(Type.Omit(Problem, ['type']), problem), code)
    t.ok(URL.canParse(problem.type), problem.type)
    t.same({ status: problem.status, title: problem.title }, { status, title })
    t.ok(status >= 400 && status < 600)
    t.equal(new ProblemError(code, 'x').statusCode, status)
  }
  const types = Object.keys(ERRORS).map((code) => toProblem(code as ErrorCode, '').type)
  t.equal(new Set(types).size, types.length)
})

t.test('extra members are included, and Retry-After is only a header', async (t) => {
  const job_id = '123e4567-e89b-12d3-a456-426614174000'
  t.notOk('errors' in toProblem('BAD_REQUEST', 'x'))
  const errors = [{ path: '/inputs', message: 'must be an object' }]
  const problem = toProblem('VALIDATION_FAILED', 'x', { errors, job_id, retryAfter: 3 })
  t.match(problem, { errors, job_id })
  t.notOk('retryAfter' in problem)
})
