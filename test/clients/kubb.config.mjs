/** kubb's configuration: the document, and what to generate. */
import { defineConfig } from '@kubb/core'
import { pluginClient } from '@kubb/plugin-client'
import { pluginOas } from '@kubb/plugin-oas'
import { pluginTs } from '@kubb/plugin-ts'

export default defineConfig({
  input: { path: process.env.STAGECAST_DOCUMENT },
  output: { path: 'generated/kubb', clean: true, format: false, lint: false },
  plugins: [
    pluginOas({ generators: [] }),
    pluginTs({ output: { path: 'types.ts' } }),
    pluginClient({
      output: { path: 'client.ts' },
      importPath: '../../adapters/kubb-request.ts',
      paramsType: 'object',
      dataReturnType: 'full',
    }),
  ],
})
