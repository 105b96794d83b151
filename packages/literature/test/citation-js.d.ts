/** What the tests use of a library that ships no types. */
declare module '@citation-js/core' {
  export class Cite {
    constructor(data: unknown, options?: { forceType: string })
    data: unknown[]
  }
  export const plugins: { config: { get(name: string): { parse: { sentenceCase: string } } } }
}
declare module '@citation-js/plugin-bibtex'
declare module '@citation-js/plugin-ris'
