/**
 * Loaded into every test process, and ends it when its tests are done and nothing else is left. Node 20 may count a timer
 * that no longer exists, and then keeps the process alive for ever: such processes were seen with every timer destroyed.
 * tap's own time limit stays, for tests that hang.
 */
const MAY_BE_LEFT = new Set(['Timeout', 'PipeWrap', 'TTYWrap'])

let idleBefore = false

setInterval(async () => {
  const { default: root } = await import('tap')
  const idle =
    root.idle &&
    root.counts.total > 0 &&
    process.getActiveResourcesInfo().every((one) => MAY_BE_LEFT.has(one))
  if (idle && idleBefore) {
    if (!root.results) root.end()
    else process.exit()
  }
  idleBefore = idle
}, 2000).unref()
