/**
 * Loaded into a process under test, before the program. It can shift the clock by an hour, block the event loop, use up file
 * descriptors, and report memory.
 */
import { closeSync, openSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const offset = Number(process.env.FAULT_CLOCK_MS ?? 0)
if (offset !== 0) {
  const RealDate = Date
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + offset)
      else super(...args)
    }
    static now() {
      return RealDate.now() + offset
    }
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

process.on('message', (message) => {
  if (typeof message?.block === 'number')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, message.block)
  if (typeof message?.spareFiles === 'number') {
    // Do not set a limit at the start: loading the program needs more open files than running it.
    const held = []
    try {
      for (;;) held.push(openSync('/dev/null'))
    } catch {}
    for (const file of held.slice(0, message.spareFiles)) closeSync(file)
    process.send?.({ held: held.length - message.spareFiles })
  }
  if (message?.measure) {
    collectGarbage()
    const { heapUsed, rss } = process.memoryUsage()
    process.send?.({ heapUsed, rss, handles: process.getActiveResourcesInfo().length })
  }
})
// Listening must not keep a finished process alive.
process.channel?.unref()
