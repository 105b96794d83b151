/** Generates the three clients from a published document, side by side. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CLIENTS, runTool } from './tools.ts'

/** Writes `generated/`, anew. */
export async function generate(documentUrl: string): Promise<void> {
  await rm(join(CLIENTS, 'generated'), { recursive: true, force: true })
  await Promise.all([
    runTool('openapi-typescript', [documentUrl, '-o', 'generated/openapi-typescript.ts']),
    runTool('openapi-ts', ['-i', documentUrl, '-o', 'generated/hey-api', '-c', '@hey-api/client-fetch']),
    runTool('orval', ['--config', 'orval.config.cjs'], { STAGECAST_DOCUMENT: documentUrl }),
  ])
}
