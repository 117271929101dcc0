/** A file cannot be read or written, or has the wrong content. The message is one line that names it. */
export class FileError extends Error {
  override readonly name = 'FileError'

  constructor(file: string, cause: unknown) {
    super(`${file}: ${(cause as Error).message.replaceAll(/\s+/g, ' ')}`, { cause })
  }
}
