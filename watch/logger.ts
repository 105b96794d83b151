/** The logger that this folder needs: any pino-like one. */
type Write = (fields: object, message: string) => void

export interface Logger {
  debug: Write
  warn: Write
  error: Write
}
