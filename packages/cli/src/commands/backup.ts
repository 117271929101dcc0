import { Command } from 'commander'
import { exampleHelp } from '../client-command.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { print, printJson } from '../terminal.ts'

interface BackupFlags {
  dataFile?: string
  config?: string
  json?: boolean
}

const WHAT = `
The copy is what one moment was, also while a broker runs, and on disk when the
command ends. To go back to it, stop the broker, remove its data file and what
stands beside it (-wal, -shm, -mark), and copy FILE and FILE-mark in their
place. Tasks that were accepted after the copy are missing then, and tasks that
have ended since may run again.`

async function runBackup(target: string, flags: BackupFlags): Promise<void> {
  const [{ copyJournal }, { settingsFrom }] = await Promise.all([
    import('@sluice/broker'),
    import('../broker-settings.ts'),
  ])
  const { config, dataFile: stated } = flags
  const { dataFile } = settingsFrom({
    ...(config === undefined ? {} : { config }),
    ...(stated === undefined ? {} : { dataFile: stated }),
  })
  try {
    const { path, batch, bytes } = copyJournal(dataFile, target)
    if (flags.json) printJson({ file: path, batch, bytes })
    else print(`${dataFile} copied to ${path}: ${bytes} bytes, up to batch ${batch}.`)
  } catch (caught) {
    if (!(caught instanceof Error)) throw caught
    throw new CommandError(`${caught.message}. Nothing was copied.`, EXIT.failed)
  }
}

export function backupCommand(): Command {
  return new Command('backup')
    .description("copy a broker's data file, while it runs or not")
    .argument('<file>', 'the copy; it must not be there yet')
    .option('--data-file <path>', 'file to copy (SLUICE_DATA_FILE; default .sluice/broker.db)')
    .option('--config <file>', 'configuration file that names the data file')
    .option('--json', 'print JSON for programs')
    .addHelpText('after', WHAT)
    .addHelpText(
      'after',
      exampleHelp([
        'sluice backup copy.db',
        'sluice backup "backup-$(date +%F).db" --data-file /var/lib/sluice/broker.db',
      ]),
    )
    .action(runBackup)
}
