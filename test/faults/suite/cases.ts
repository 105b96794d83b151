/** All cases of the fault suite, in the order they run. */
import { apiCases } from './api-cases.ts'
import type { FaultCase } from './case.ts'
import { largeCases } from './large-cases.ts'
import { networkCases } from './network-cases.ts'
import { redisCases } from './redis-cases.ts'
import { serviceCases } from './service-cases.ts'
import { soakCase } from './soak-case.ts'
import { workerCases } from './worker-cases.ts'

export const CASES: readonly FaultCase[] = [
  ...workerCases,
  ...apiCases,
  ...redisCases,
  ...networkCases,
  ...serviceCases,
  ...largeCases,
  soakCase,
]
