/** The official client for the whole API: no dependencies, for browsers and Node 20.20 or later. */

export type { PlanStep, Run, RunStatus, RunStep, WaitingSignOff } from '../../contract/run.ts'
export { ConnectionError } from './http.ts'
export type {
  AcceptedRun,
  RunFilter,
  RunPage,
  RunPlan,
  RunReference,
  RunRequest,
  Runs,
  SignOffPage,
  SignOffRequest,
} from './runs.ts'
export type { JobFilter, JobPage, ListedJob, Ticket } from './stagecast.ts'
export { Stagecast, type StagecastOptions } from './stagecast.ts'
export { StagecastError } from './stagecast-error.ts'
export type {
  Accepted,
  ExecuteRequest,
  JobReference,
  Transport,
  Watched,
  WatchedEvent,
  WatchedWorkflowEvent,
  WatchOptions,
} from './types.ts'
