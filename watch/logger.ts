/** The logger that this folder needs, such as pino. */
type Write = (fields: object, message: string) => void

export interface Logger {
  debug: Write
  warn: Write
  error: Write
}
