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
 * JSON in one line. Control characters that JSON leaves as they are (some terminals obey them) are escaped; they can stand
 * in strings only.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
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
