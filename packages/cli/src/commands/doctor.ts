import { styleText } from 'node:util'
import type { Command } from 'commander'
import { printable } from '../cells.ts'
import { type ClientFlags, clientCommand, httpOf } from '../client-command.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { print, printJson } from '../terminal.ts'

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

export function doctorCommand(): Command {
  return clientCommand('doctor', 'look for what is wrong with this machine and the broker', [
    'sluice doctor',
    'sluice doctor --url ws://127.0.0.1:8000 --json',
  ]).action(async (flags: ClientFlags) => {
    const { diagnose } = await import('../diagnosis.ts')
    const { findings, answered } = await diagnose(httpOf(flags))
    if (flags.json) printJson({ findings })
    else
      for (const { what, verdict, text } of findings)
        print(`${styleText(COLOURS[verdict], verdict.padEnd(4))}  ${what.padEnd(10)}  ${printable(text)}`)
    const failed = findings.filter(({ verdict }) => verdict === 'fail').length
    if (failed > 0)
      throw new CommandError(`${failed} of ${findings.length} failed.`, answered ? EXIT.failed : EXIT.unreachable)
  })
}
