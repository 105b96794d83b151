/** A stage service in Node: `import { Stages, StageError, Cancelled } from 'stagecast/stage'`. */

export type { StageFunction } from './follow.ts'
export { Cancelled, type StageJob } from './stage-job.ts'
export { StageError, type StageOptions, Stages, type StagesOptions } from './stages.ts'
export type { StageService } from './start.ts'
export type { UpstreamHeaders, UpstreamStage } from './upstream.ts'
