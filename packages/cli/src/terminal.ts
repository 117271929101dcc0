const WIDTH_DEFAULT = 80
const HEIGHT_DEFAULT = 24

/** Columns of the terminal. Without one, lines are as wide as they need to be: a program or a file reads them. */
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
 * JSON in one line. What a terminal obeys and JSON leaves as it is (control characters, marks that turn the order of letters
 * round, line separators) is escaped; it can stand in strings only.
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

/** For people who watch: never part of the output that a script reads. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}
