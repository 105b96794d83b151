/**
 * Loaded into a process under test, before the program. Told `{ dieAfter: n, from }`, the process kills itself when Redis
 * has answered the nth command, counted from the first one that names a key with `from` in it.
 */
import { Redis } from 'ioredis'

let left = Number.POSITIVE_INFINITY
let from = null

const send = Redis.prototype.sendCommand
Redis.prototype.sendCommand = function (command, ...rest) {
  if (from !== null && command.args.some((arg) => String(arg).includes(from))) from = null
  if (from === null && Number.isFinite(left) && !this.options.connectionName?.includes('blocking')) {
    left -= 1
    const die = () => process.kill(process.pid, 'SIGKILL')
    if (left === 0) command.promise.then(die, die)
  }
  return send.call(this, command, ...rest)
}

process.on('message', (message) => {
  if (typeof message?.dieAfter !== 'number') return
  left = message.dieAfter
  from = message.from ?? null
  process.send?.({ armed: left })
})
