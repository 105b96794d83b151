/** A stage service in Node: `import { Stages, StageError, Cancelled } from 'stagecast/stage'`. */
export { Cancelled, type StageJob } from './stage-job.ts'
export { StageError, type StageFunction, type StageOptions, Stages, type StagesOptions } from './stages.ts'
export type { StageService } from './start.ts'
export type { UpstreamStage } from './upstream.ts'
