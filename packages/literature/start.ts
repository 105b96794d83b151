/** The built-in stage service: the stages of this package on the stage kit. */
import { buildStageService, type StageServiceOptions } from '../stage-kit/app.ts'
import { type Address, listen, type StageService } from '../stage-kit/start.ts'
import { type LiteratureSettings, OFFLINE } from './literature-settings.ts'
import { builtInStages } from './registry.ts'
import { LiteratureReview } from './schema.ts'

export interface BuiltInOptions extends Omit<StageServiceOptions, 'stages' | 'sweep'> {
  /** Settings of stage 2. Default: sample data only, no network. */
  literature?: LiteratureSettings
}

export type StartOptions = BuiltInOptions & Address

/** Builds the service without listening. Rejects if `dataDir` is unusable or the sources are invalid. */
export async function buildBuiltInService({ literature = OFFLINE, ...options }: BuiltInOptions) {
  const { stages, sweep, close } = builtInStages(options.dataDir, literature)
  const app = await buildStageService({ ...options, stages, sweep })
  app.addHook('onClose', close)
  app.get('/schemas/literature_review.json', async () => LiteratureReview)
  return app
}

/** Starts the service in this process; used by serve.ts and by `npm run dev`. */
export async function startBuiltInService({ host, port, ...options }: StartOptions): Promise<StageService> {
  return listen(await buildBuiltInService(options), { host, port })
}
