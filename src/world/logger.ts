/** A message is one plain sentence; `fields` carry what a machine may want to search for. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** For tests and embedded brokers. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
