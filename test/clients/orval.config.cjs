/** What orval makes, and from which document. */
module.exports = {
  stagecast: {
    input: { target: process.env.STAGECAST_DOCUMENT },
    output: {
      target: 'generated/orval.ts',
      client: 'fetch',
      mode: 'single',
      override: { mutator: { path: './adapters/orval-request.ts', name: 'request' } },
    },
  },
}
