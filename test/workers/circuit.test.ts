import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Circuit, CircuitOpen, type CircuitState, type Verdict } from '../../workers/circuit.ts'

const never = new AbortController().signal
const RESET_MS = 30

function setUp(t: Test, failures = 3) {
  const circuit = new Circuit(failures, RESET_MS)
  // The timers of the circuit keep no process alive.
  const awake = setInterval(() => {}, 1000)
  t.teardown(() => {
    circuit.stop()
    clearInterval(awake)
  })
  const states: CircuitState[] = []
  circuit.events.on('change', (state) => states.push(state))
  const run = (verdict: Verdict) => circuit.run(async () => ({ verdict }), never)
  const becomes = async (state: CircuitState) => {
    while (circuit.state !== state) await once(circuit.events, 'change')
  }
  /** Work that ends when it is told to. */
  const start = (signal = never) => {
    const { promise, resolve, reject } = withResolvers<{ verdict: Verdict }>()
    let started = false
    const done = circuit.run(() => {
      started = true
      return promise
    }, signal)
    done.catch(() => {})
    return { done, end: (verdict: Verdict) => resolve({ verdict }), fail: reject, started: () => started }
  }
  const open = async () => {
    for (let i = 0; i < failures; i += 1) await run('ill')
    t.equal(circuit.state, 'open')
  }
  return { circuit, states, run, becomes, start, open }
}

t.test('opens after so many ill answers in a row, and refuses without calling', async (t) => {
  const { circuit, run, start } = setUp(t)
  t.same(await run('ill'), { verdict: 'ill' }, 'the outcome comes through')
  await run('ill')
  t.equal(circuit.state, 'closed')
  await run('ill')
  t.equal(circuit.state, 'open')
  const refused = start()
  await t.rejects(refused.done, CircuitOpen)
  t.notOk(refused.started())
})

t.test('opened by hand, it probes like any other; an open one stays as it is', async (t) => {
  const { circuit, states, run, becomes } = setUp(t)
  circuit.open()
  circuit.open()
  await becomes('half-open')
  circuit.open()
  t.equal(circuit.state, 'half-open')
  t.same(await run('well'), { verdict: 'well' })
  t.same(states, ['open', 'half-open', 'closed'])
})

t.test('one good answer in between starts the count anew', async (t) => {
  const { circuit, run } = setUp(t)
  for (const verdict of ['ill', 'ill', 'well', 'ill', 'ill'] as const) await run(verdict)
  t.equal(circuit.state, 'closed')
  await run('ill')
  t.equal(circuit.state, 'open')
})

t.test('work that never met the service counts neither way', async (t) => {
  const { circuit, run, start } = setUp(t)
  await run('ill')
  await run('none')
  await run('ill')
  const broken = start()
  broken.fail(new Error('Redis went away'))
  await t.rejects(broken.done, { message: 'Redis went away' })
  t.equal(circuit.state, 'closed')
  await run('ill')
  t.equal(circuit.state, 'open')
})

t.test('a sign of life does not excuse calls that all end badly', async (t) => {
  const { circuit, run } = setUp(t)
  for (let i = 0; i < 3; i += 1) {
    circuit.alive()
    await run('ill')
  }
  t.equal(circuit.state, 'open')
})

t.test('exactly one probe; the others wait for its verdict', async (t) => {
  const { circuit, states, start, open, becomes } = setUp(t)
  await open()
  await becomes('half-open')
  const probe = start()
  const others = Array.from({ length: 15 }, () => start())
  t.ok(probe.started())
  t.notOk(others.some(({ started }) => started()))
  probe.end('well')
  await probe.done
  t.equal(circuit.state, 'closed')
  for (const other of others) other.end('well')
  await Promise.all(others.map(({ done }) => done))
  t.ok(others.every(({ started }) => started()))
  t.same(states, ['open', 'half-open', 'closed'])
})

t.test('an ill probe opens the circuit again, and turns the others away', async (t) => {
  const { circuit, start, open, becomes } = setUp(t)
  await open()
  await becomes('half-open')
  const probe = start()
  const other = start()
  probe.end('ill')
  t.same(await probe.done, { verdict: 'ill' })
  await t.rejects(other.done, CircuitOpen)
  t.notOk(other.started())
  t.equal(circuit.state, 'open')
  await becomes('half-open')
})

t.test('a sign of life closes it before the verdict', async (t) => {
  const { circuit, run, start, open, becomes } = setUp(t)
  await open()
  circuit.alive()
  t.equal(circuit.state, 'open', 'an old call tells nothing new')
  await becomes('half-open')
  const probe = start()
  const other = start()
  circuit.alive()
  t.equal(circuit.state, 'closed')
  other.end('well')
  await other.done
  t.ok(other.started())
  probe.end('ill')
  await probe.done
  t.equal(circuit.state, 'closed', 'the count began anew')
  await run('ill')
  await run('ill')
  t.equal(circuit.state, 'open')
})

t.test('a probe that was stopped proves nothing: nobody is let through on its account', async (t) => {
  for (const stop of ['none', 'error'] as const) {
    const { circuit, states, start, open, becomes } = setUp(t)
    await open()
    await becomes('half-open')
    const probe = start()
    const other = start()
    if (stop === 'none') {
      probe.end('none')
      await probe.done
    } else {
      probe.fail(new Error('the lease was lost'))
      await t.rejects(probe.done, { message: 'the lease was lost' })
    }
    await t.rejects(other.done, CircuitOpen, stop)
    t.notOk(other.started())
    t.same(states, ['open', 'half-open', 'open'])
    await becomes('half-open')
    const next = start()
    t.ok(next.started())
    next.end('well')
    await next.done
    t.equal(circuit.state, 'closed')
  }
})

t.test('a call from before that was stopped does not speak for the probe', async (t) => {
  const { circuit, start, open, becomes } = setUp(t)
  const old = start()
  await open()
  await becomes('half-open')
  const probe = start()
  old.end('none')
  await old.done
  t.equal(circuit.state, 'half-open')
  probe.end('well')
  await probe.done
  t.equal(circuit.state, 'closed')
})

t.test('who waits behind a probe can be called off', async (t) => {
  const { start, open, becomes } = setUp(t)
  await open()
  await becomes('half-open')
  const probe = start()
  const abort = new AbortController()
  const other = start(abort.signal)
  abort.abort('cancel')
  await t.rejects(other.done, { name: 'AbortError' })
  t.notOk(other.started())
  probe.end('well')
  await probe.done
})

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
