import { sqliteJournal } from '../../src/journal/sqlite.ts'
import { loadAll, textBatch } from './batches.ts'

/**
 * A process to kill: opens the journal named in its arguments, says `open` or why not, and then appends batch after
 * batch, saying each one's number once it is acknowledged.
 */
const [path = '', durability = 'strict', appends = '0'] = process.argv.slice(2)
try {
  const journal = sqliteJournal({ path, durability: durability as 'strict' | 'relaxed' })
  const { last } = await loadAll(journal)
  process.stdout.write(`open\n`)
  for (let batch = last + 1; batch <= last + Number(appends); batch++) {
    await journal.append(textBatch(batch, `body of ${batch}`, 'x'.repeat(batch % 50_000)))
    // Waited for: what is still in this process when it is killed was never said.
    await new Promise((resolve) => process.stdout.write(`${batch}\n`, resolve))
    if (batch % 7 === 0) journal.discardBefore(batch - 100)
    await new Promise(setImmediate)
  }
  // Holds the file until it is killed.
  setInterval(() => {}, 1000)
} catch (error) {
  process.stdout.write(`${(error as Error).name}: ${(error as Error).message}\n`)
}
