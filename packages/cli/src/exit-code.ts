/** Exit codes that scripts can rely on. The same list is in every `--help` and in the README. */
export const EXIT = {
  ok: 0,
  /** A task is dead, cancelled or unknown, or the broker refused the request. */
  failed: 1,
  /** Bad arguments or settings. */
  usage: 2,
  unreachable: 3,
  /** A bound of the broker is reached, or it is leaving. */
  busy: 4,
  /** A second signal while leaving, or Ctrl-C while waiting: 128 + SIGINT. */
  interrupted: 130,
  /** The reader of the output has stopped reading: 128 + SIGPIPE. */
  unread: 141,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_HELP = `
Exit codes:
  0  done
  1  a task is dead, cancelled or unknown, or the broker refused
  2  bad arguments or settings
  3  no broker answers
  4  busy: a bound is reached, or the broker is leaving`

/** Ends the command with a message for people: what is wrong, and what to do next. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode) {
    super(message)
    this.exitCode = exitCode
  }
}
