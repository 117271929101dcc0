import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The programs of the journal's threads. */
export interface ThreadFiles {
  writer: URL
  reader: URL
}

/**
 * They are beside this file, in the same form as this file: source or built. A bundle must have them beside itself.
 * @throws Error if a bundle lacks one
 */
export function threadFiles(): ThreadFiles {
  // A CommonJS bundle has no `import.meta.url`.
  const here = import.meta.url as string | undefined
  if (here === undefined)
    throw new Error(
      'the SQLite journal cannot find its threads in a CommonJS bundle: bundle the broker as an ES module',
    )
  const files = here.endsWith('.ts')
    ? { writer: new URL('./sqlite-writer.ts', here), reader: new URL('./sqlite-reader.ts', here) }
    : { writer: new URL('./sqlite-writer.js', here), reader: new URL('./sqlite-reader.js', here) }
  for (const [name, file] of Object.entries(files))
    if (!existsSync(file))
      throw new Error(
        `${fileURLToPath(file)} is missing: add the entry point @sluice/broker/sqlite-${name} to the bundle, in the same directory`,
      )
  return files
}
