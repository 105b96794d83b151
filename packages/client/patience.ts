/** The times in which watching takes things for granted, in ms. */
export interface Patience {
  /** The server sends its first bytes at once: whoever gets none for so long sits behind something that keeps them. */
  firstBytes: number
  /** The server says something every 15 s at least: a stream that is silent for so long is lost. */
  silence: number
  /** An event that is older when it arrives has been held back on the way. */
  late: number
  /** How long the server may hold a page back until it has news: 0 to 30,000. */
  pageWait: number
  /** How much longer than that an answer may take. */
  pageSpare: number
  /** Between two empty pages, where nothing on the way lets the server wait for news. */
  emptyPage: number
  /** For how long it polls before it tries a stream again: doubled each time, up to the longest. */
  polling: number
  longestPolling: number
  /** Between two tries until the server has said what it wants: doubled each time, up to the longest. */
  backoff: number
  longestBackoff: number
}

export const PATIENCE: Patience = {
  firstBytes: 5000,
  silence: 40_000,
  late: 5000,
  pageWait: 25_000,
  pageSpare: 10_000,
  emptyPage: 1000,
  polling: 60_000,
  longestPolling: 600_000,
  backoff: 500,
  longestBackoff: 15_000,
}
