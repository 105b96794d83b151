/** The message authentication code of tickets is HMAC-SHA256, as Node's own. */
import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { macWith } from '../../plugins/mac.ts'

t.test('it is that of node:crypto, whatever the key and the message', async (t) => {
  for (const keyBytes of [0, 1, 31, 32, 63, 64]) {
    for (const messageBytes of [0, 1, 22, 63, 64, 65, 1000]) {
      const [key, message] = [randomBytes(keyBytes), randomBytes(messageBytes)]
      const expected = createHmac('sha256', key).update(message).digest()
      t.ok(expected.equals(macWith(key)(message)), `${keyBytes} bytes of key, ${messageBytes} of message`)
    }
  }
})

t.test('a key that is too long is refused', async (t) => {
  t.throws(() => macWith(randomBytes(65)), RangeError)
})
