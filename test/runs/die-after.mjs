/**
 * Loaded into a process under test, before the program. Told `{ dieAfter: n, from }`, the process kills itself when Redis
 * has answered the nth command, counted from the first one that names a key with `from` in it. With `victim`, the id of
 * Redis's process, Redis is killed instead; with `unanswered` as soon as it has run the command, and the answer is lost.
 * Answers with whether it has killed since it was last told.
 */
import { Redis } from 'ioredis'

let left = Number.POSITIVE_INFINITY
let from = null
let victim = process.pid
let unanswered = false
let hasKilled = false
/** Settles when the blow that is under way has fallen. */
let blow = Promise.resolve()

const send = Redis.prototype.sendCommand
Redis.prototype.sendCommand = function (command, ...rest) {
  if (from !== null && command.args.some((arg) => String(arg).includes(from))) from = null
  if (from === null && Number.isFinite(left) && !this.options.connectionName?.includes('blocking')) {
    left -= 1
    if (left === 0) {
      left = Number.POSITIVE_INFINITY
      blow = unanswered ? loseAnswer(this) : command.promise.then(strike, strike)
    }
  }
  return send.call(this, command, ...rest)
}

function strike() {
  hasKilled = true
  process.kill(victim, 'SIGKILL')
}

/** What another connection asked later was answered, so the command has been run. */
async function loseAnswer({ stream, options: { path, host, port } }) {
  stream?.pause()
  const other = new Redis(path ? { path } : { host, port })
  other.on('error', () => {})
  // Once written, twice round.
  await other.ping()
  await other.ping()
  strike()
  other.disconnect()
  stream?.destroy()
}

process.on('message', async (message) => {
  if (typeof message?.dieAfter !== 'number') return
  left = Number.POSITIVE_INFINITY
  await blow
  left = message.dieAfter
  from = message.from ?? null
  victim = message.victim ?? process.pid
  unanswered = message.unanswered ?? false
  process.send?.({ hasKilled })
  hasKilled = false
})
