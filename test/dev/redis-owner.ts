/** A separate process that runs an embedded Redis in the given folder, for tests that kill it. */
import { startRedis } from '../../dev/redis.ts'

const dir = process.argv[2]
if (!dir) throw new Error('usage: redis-owner.ts <folder>')
const { url } = await startRedis({ dir })
process.send?.({ url })
