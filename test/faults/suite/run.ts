/**
 * `npm run test:faults`: runs every case of the fault suite, one after the other, and prints a line after each.
 *
 *   npm run test:faults -- --list              lists the cases
 *   npm run test:faults -- <part of a name>    runs only these cases
 *   npm run test:faults -- --scale=0.1         runs the large cases at a tenth of their size
 *   npm run test:faults -- --redis=redis://…   uses your own Redis, without the cases that harm it
 *   npm run test:faults -- --table             also prints the rows of docs/reliability.md at the end
 */

import { play } from './case.ts'
import { CASES } from './cases.ts'

const args = process.argv.slice(2)
const options = args.filter((arg) => arg.startsWith('--'))
const names = args.filter((arg) => !arg.startsWith('--'))
const scale = Number(options.find((one) => one.startsWith('--scale='))?.slice('--scale='.length) ?? 1)
const unknown = options.filter((one) => !/^--(list|table|scale=[\d.]+|redis=redis:\/\/.+)$/.test(one))
const redisUrl = options.find((one) => one.startsWith('--redis='))?.slice('--redis='.length)
const chosen = CASES.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)))
  // Leave out the cases that would damage your Redis.
  .filter(({ ownRedis }) => !(ownRedis && redisUrl))

if (unknown.length > 0 || !(scale > 0) || chosen.length === 0) {
  console.error(
    `Nothing to run: ${unknown.length > 0 ? `unknown option ${unknown.join(' ')}` : 'no case has this name'}. --list shows all cases.`,
  )
  process.exit(2)
}
if (options.includes('--list')) {
  for (const { name, promise } of chosen) console.log(`${name}\n    ${promise}`)
  process.exit()
}

let failed = 0
const rows: string[] = []
for (const [i, one] of chosen.entries()) {
  process.stdout.write(`${String(i + 1).padStart(2)}/${chosen.length}  ${one.name} … `)
  const { faults, seen, ms, logs } = await play(one, scale, {
    redisUrl,
    report: (text) => process.stdout.write(`[${text}] `),
  })
  console.log(`${faults.length === 0 ? 'holds' : 'FAILS'}, ${(ms / 1000).toFixed(1)} s: ${seen}`)
  for (const fault of faults.slice(0, 20)) console.log(`       ${fault}`)
  if (faults.length > 0) for (const log of logs) console.log(log.replace(/^/gm, '       | '))
  if (faults.length > 0) failed += 1
  rows.push(`| ${one.name} | ${one.promise} | ${faults.length === 0 ? seen : 'does not hold'} |`)
}
if (options.includes('--table')) console.log(`\n${rows.join('\n')}`)
console.log(`\n${chosen.length - failed} of ${chosen.length} cases hold.`)
process.exit(failed === 0 ? 0 : 1)
