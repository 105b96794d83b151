/**
 * Loaded into a process under test, before the program. On the message `{ dieAfter: n, from }`, the process kills itself when Redis
 * has answered the nth command, counted from the first one with a key that contains `from`. With `victim`, the id of
 * Redis's process, it kills Redis instead; with `unanswered`, as soon as Redis has run the command, so that the reply is lost.
 * It answers each message with whether it has killed since the previous one.
 */
import { Redis } from 'ioredis'

let left = Number.POSITIVE_INFINITY
let from = null
let victim = process.pid
let unanswered = false
let hasKilled = false
/** Settles once a kill in progress has happened. */
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

/** Waits until Redis has answered a later command on another connection, so the earlier command has run. */
async function loseAnswer({ stream, options: { path, host, port } }) {
  stream?.pause()
  const other = new Redis(path ? { path } : { host, port })
  other.on('error', () => {})
  // Wait two turns: in the first, the command is written to the socket.
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
