/** The timeouts of watching, in ms. */
export interface Patience {
  /** The server sends its first bytes at once. If none arrive for this long, a proxy holds them back. */
  firstBytes: number
  /** The server sends something at least every 15 s. A stream that is silent for this long is lost. */
  silence: number
  /** An event older than this on arrival was held back on the way. */
  late: number
  /** How long the server may hold a page request while nothing has changed: 0 to 30,000. */
  pageWait: number
  /** How much longer than `pageWait` an answer may take. */
  pageSpare: number
  /** The pause between two empty pages if a proxy keeps the server from waiting for news. */
  emptyPage: number
  /** How long to poll before trying a stream again; doubles each time, up to the longest. */
  polling: number
  longestPolling: number
  /** The pause between retries until the server states its own; doubles each time, up to the longest. */
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
