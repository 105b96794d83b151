/** The parts of the Python package, and stages of every kind on uvicorn, gunicorn and FastAPI. */
import t from 'tap'
import { runPytest } from './pytest.ts'

t.test('the Python package, in short', (t) => {
  return runPytest(t, ['tests/test_parts.py', 'tests/test_inputs.py', 'tests/test_stages.py'])
})
