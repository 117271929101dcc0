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

export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** For people who watch: never part of the output that a script reads. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}
