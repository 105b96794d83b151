/** Generates the clients from a published document in parallel. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { CLIENTS, runTool } from './tools.ts'

/** Deletes and rewrites `generated/`. */
export async function generate(t: Test, documentUrl: string): Promise<void> {
  await rm(join(CLIENTS, 'generated'), { recursive: true, force: true })
  await Promise.all([
    runTool(t, 'openapi-typescript', [documentUrl, '-o', 'generated/openapi-typescript.ts']),
    runTool(t, 'openapi-ts', ['-i', documentUrl, '-o', 'generated/hey-api', '-c', '@hey-api/client-fetch']),
    runTool(t, 'orval', ['--config', 'orval.config.cjs'], { STAGECAST_DOCUMENT: documentUrl }),
    runTool(t, 'kubb', ['generate', '--config', 'kubb.config.mjs'], { STAGECAST_DOCUMENT: documentUrl }),
    runTool(t, 'swagger-typescript-api', [
      ...['generate', '-p', documentUrl, '-o', 'generated', '-n', 'swagger-typescript-api.ts'],
    ]),
  ])
}
