/** Loaded into a process under test, before the program: an hour off, a loop that stands still, a look at its memory. */
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
  if (message?.measure) {
    collectGarbage()
    const { heapUsed, rss } = process.memoryUsage()
    process.send?.({ heapUsed, rss, handles: process.getActiveResourcesInfo().length })
  }
})
// Listening must not keep a process alive that wants to end.
process.channel?.unref()
