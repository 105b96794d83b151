/** The part that we use of a library without types. */
declare module '@citation-js/core' {
  export class Cite {
    constructor(data: unknown, options?: { forceType: string })
    data: unknown[]
  }
  export const plugins: {
    config: { get(name: string): { parse: { sentenceCase: string } } }
    input: { chain(text: string, options: { forceType: string; generateGraph: boolean }): unknown[] }
  }
}
declare module '@citation-js/plugin-bibtex'
declare module '@citation-js/plugin-ris'
