/** A file cannot be read or written, or does not hold what it has to: one line that names it. */
export class FileError extends Error {
  override readonly name = 'FileError'

  constructor(file: string, cause: unknown) {
    super(`${file}: ${(cause as Error).message.replaceAll(/\s+/g, ' ')}`, { cause })
  }
}
