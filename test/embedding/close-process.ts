/** A process that only runs an application with Stagecast in it, twice. Once that is closed, the process exits. */
import { startHost } from './host.ts'

const { app, redis } = await startHost({ teardown() {} })
await app.inject({ url: '/left/api/workflow/stages', headers: { 'x-user': 'ann' } })
process.stdout.write('open\n')
await app.close()
redis.disconnect()
process.stdout.write('closed\n')
