/** The catalogue that is used without a STAGES_FILE: contract/stages.json, and what the built-in stages add to it. */
import type { Static, TSchema } from '@sinclair/typebox'
import type { CatalogueFile } from './catalogue-file.ts'
import { LiteratureInputs, literatureFaults, ProtocolInputs } from './literature.ts'
import stages from './stages.json' with { type: 'json' }

/** A rule between inputs that a schema cannot tell; `path` is inside `inputs`. */
export type InputRule = (inputs: Record<string, unknown>) => { path: string; message: string }[]

/** Options that have types here, by stage. */
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
