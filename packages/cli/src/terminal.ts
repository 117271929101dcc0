const WIDTH_DEFAULT = 80
const HEIGHT_DEFAULT = 24

/** The columns of the terminal. Without a terminal lines have any width, because a program or a file reads them. */
export function terminalWidth(stream: NodeJS.WriteStream = process.stdout): number {
  return stream.isTTY ? stream.columns || WIDTH_DEFAULT : Number.POSITIVE_INFINITY
}

export function terminalHeight(): number {
  return process.stdout.rows || HEIGHT_DEFAULT
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/**
 * JSON in one line. Characters that affect a terminal and that JSON leaves as they are (control characters,
 * bidirectional marks, line separators) are escaped. They can occur in strings only.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function printJson(value: unknown): void {
  print(jsonLine(value))
}

/** A line for people who watch. It is never part of the output that a script reads. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}
