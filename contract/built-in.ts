/** The default catalogue, used when STAGES_FILE is not set: contract/stages.json plus the rules of the built-in stages. */
import type { Static, TSchema } from '@sinclair/typebox'
import type { CatalogueFile } from './catalogue-file.ts'
import { LiteratureInputs, literatureFaults, ProtocolInputs } from './literature.ts'
import stages from './stages.json' with { type: 'json' }

/** A rule across several inputs that a schema cannot express; `path` is relative to `inputs`. */
export type InputRule = (inputs: Record<string, unknown>) => { path: string; message: string }[]

/** Input schemas defined in code, by stage. */
const INPUTS: Readonly<Record<number, TSchema>> = { 1: ProtocolInputs, 2: LiteratureInputs }

export const BUILT_IN: CatalogueFile = {
  stages: (stages as CatalogueFile).stages.map((entry) => {
    const inputs = INPUTS[entry.stage]
    return inputs ? { ...entry, inputs: structuredClone(inputs) } : entry
  }),
}

export const BUILT_IN_RULES: Readonly<Record<number, InputRule>> = {
  1: (inputs) => literatureFaults(inputs as Static<typeof LiteratureInputs>),
  2: (inputs) => literatureFaults(inputs as Static<typeof LiteratureInputs>),
}
