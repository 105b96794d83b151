/** What this room logs with: any pino-like logger. */
type Write = (fields: object, message: string) => void

export interface Logger {
  debug: Write
  warn: Write
  error: Write
}
