/**
 * Loaded into every test process. Node may count a timer that was told not to keep the process alive: test processes were
 * seen that had nothing left but tap's timer, and waited for it to the end. So that timer is cleared when nothing but
 * timers is left; tap's runner watches the time as well.
 */
const MAY_BE_LEFT = new Set(['Timeout', 'PipeWrap', 'TTYWrap'])

const watch = setInterval(async () => {
  if (!process.getActiveResourcesInfo().every((one) => MAY_BE_LEFT.has(one))) return
  clearInterval(watch)
  const { default: root } = await import('tap')
  root.setTimeout(0)
}, 2000).unref()
