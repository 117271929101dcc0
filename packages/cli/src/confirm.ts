import { createInterface } from 'node:readline/promises'
import { CommandError, EXIT } from './exit-code.ts'

/**
 * Asks a person before something irreversible is done.
 * @throws CommandError if the answer is no, or nobody can answer
 */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) throw new CommandError(`${question} Say so with --yes.`, EXIT.usage)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question(`${question} [y/N] `)
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    asking.close()
  }
  throw new CommandError('Nothing was changed.', EXIT.failed)
}
