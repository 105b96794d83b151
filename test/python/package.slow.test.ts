/** All tests of the Python package: faults, files, the check against a bad service, the wheel, the docs. */
import t from 'tap'
import { runPytest } from './pytest.ts'

// About a minute of work; a busy machine may need several.

t.test('the Python package', (t) => runPytest(t, ['tests']))
