/**
 * Loaded into every test process. Ends the process when its tests are done and nothing else is open. Node 20 may count a timer
 * that no longer exists and then keeps the process alive for ever, even with every timer destroyed.
 * A process that keeps anything else open for five minutes fails and names it. tap's time limit covers tests that hang.
 */
const MAY_BE_LEFT = new Set(['Timeout', 'PipeWrap', 'TTYWrap'])
const EVERY_MS = 2000
const LONGEST_MS = 300_000

let idleMs = 0

setInterval(async () => {
  const { default: root } = await import('tap')
  if (!root.idle || root.counts.total === 0) {
    idleMs = 0
    return
  }
  idleMs += EVERY_MS
  const left = process.getActiveResourcesInfo().filter((one) => !MAY_BE_LEFT.has(one))
  if (left.length > 0) {
    if (idleMs < LONGEST_MS) return
    process.stderr.write(`${process.argv[1]} left open: ${left.join(', ')}\n`)
    process.exit(1)
  }
  if (idleMs === EVERY_MS) return
  if (!root.results) root.end()
  else process.exit()
}, EVERY_MS).unref()
