import { pino } from 'pino';

type Fields = Readonly<Record<string, unknown>>;

/** Structured log lines: fields first, then a lowercase message without values in it. */
export interface Logger {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: Fields): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error; `error` fields that hold an Error are written with stack and cause. */
export function createLogger(options: { readonly level: LogLevel; readonly fields: Fields }): Logger {
  const stderr = pino.destination({ dest: 2, sync: false });
  return pino(
    {
      level: options.level,
      base: options.fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
    },
    stderr,
  );
}

/** Drops every line; for tests and tools. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
