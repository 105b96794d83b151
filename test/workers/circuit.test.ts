import t, { type Test } from 'tap'
import { Circuit, type CircuitState, type Passage, type Verdict } from '../../workers/circuit.ts'

const RESET_MS = 30

function setUp(t: Test, failures = 3) {
  const states: CircuitState[] = []
  const waiting = new Set<() => void>()
  const circuit = new Circuit(failures, RESET_MS, (state) => {
    states.push(state)
    for (const tell of waiting) tell()
  })
  // The circuit's timers do not keep the process alive.
  const awake = setInterval(() => {}, 1000)
  t.teardown(() => {
    circuit.stop()
    clearInterval(awake)
  })
  const start = (): Passage => {
    const passage = circuit.enter()
    if (!passage) throw new Error(`refused: the circuit is ${circuit.state}`)
    return passage
  }
  const run = (verdict: Verdict) => start().end(verdict)
  const becomes = async (state: CircuitState) => {
    while (circuit.state !== state) await new Promise<void>((resolve) => waiting.add(resolve))
  }
  const open = () => {
    for (let i = 0; i < failures; i += 1) run('ill')
    t.equal(circuit.state, 'open')
  }
  return { circuit, states, run, becomes, start, open }
}

t.test('opens after a number of failures in a row, and refuses jobs', async (t) => {
  const { circuit, run } = setUp(t)
  run('ill')
  run('ill')
  t.equal(circuit.state, 'closed')
  run('ill')
  t.equal(circuit.state, 'open')
  t.equal(circuit.enter(), null)
})

t.test('one success in between resets the count', async (t) => {
  const { circuit, run } = setUp(t)
  for (const verdict of ['ill', 'ill', 'well', 'ill', 'ill'] as const) run(verdict)
  t.equal(circuit.state, 'closed')
  run('ill')
  t.equal(circuit.state, 'open')
})

t.test('a call that never reached the service does not count', async (t) => {
  const { circuit, run } = setUp(t)
  for (const verdict of ['ill', 'none', 'ill', 'none'] as const) run(verdict)
  t.equal(circuit.state, 'closed')
  run('ill')
  t.equal(circuit.state, 'open')
})

t.test('a sign of life does not reset the count if all calls fail', async (t) => {
  const { circuit, run } = setUp(t)
  for (let i = 0; i < 3; i += 1) {
    circuit.alive()
    run('ill')
  }
  t.equal(circuit.state, 'open')
})

t.test('exactly one probe; its verdict closes the circuit', async (t) => {
  const { circuit, states, start, open, becomes } = setUp(t)
  open()
  await becomes('half-open')
  const probe = start()
  t.equal(circuit.enter(), null, 'the others wait for its verdict')
  probe.end('well')
  t.ok(circuit.enter())
  t.ok(circuit.enter())
  t.same(states, ['open', 'half-open', 'closed'])
})

t.test('a failed probe opens the circuit again', async (t) => {
  const { circuit, start, open, becomes } = setUp(t)
  open()
  await becomes('half-open')
  start().end('ill')
  t.equal(circuit.state, 'open')
  await becomes('half-open')
  t.ok(circuit.enter())
})

t.test('a sign of life closes it before the verdict', async (t) => {
  const { circuit, run, start, open, becomes } = setUp(t)
  open()
  circuit.alive()
  t.equal(circuit.state, 'open', 'an old call changes nothing')
  await becomes('half-open')
  const probe = start()
  circuit.alive()
  t.equal(circuit.state, 'closed')
  probe.end('ill')
  t.equal(circuit.state, 'closed', 'the count was reset')
  run('ill')
  run('ill')
  t.equal(circuit.state, 'open')
})

t.test('a probe that was stopped proves nothing: the circuit opens again', async (t) => {
  const { circuit, states, start, open, becomes } = setUp(t)
  open()
  await becomes('half-open')
  start().end('none')
  t.equal(circuit.enter(), null)
  t.same(states, ['open', 'half-open', 'open'])
  await becomes('half-open')
  start().end('well')
  t.equal(circuit.state, 'closed')
})

t.test('an earlier call that was stopped does not count as the probe', async (t) => {
  const { circuit, start, open, becomes } = setUp(t)
  const old = start()
  open()
  await becomes('half-open')
  const probe = start()
  old.end('none')
  t.equal(circuit.state, 'half-open')
  t.equal(circuit.enter(), null)
  probe.end('well')
  t.equal(circuit.state, 'closed')
})
