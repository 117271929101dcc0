import type { Command } from 'commander'
import { BrokerRefusal } from '../broker-http.ts'
import { printable } from '../cells.ts'
import { type ClientFlags, clientCommand, httpOf, taskId } from '../client-command.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { note, print, printJson } from '../terminal.ts'

export function cancelCommand(): Command {
  return clientCommand('cancel', 'end tasks that have no outcome yet, whether they wait or run', [
    'sluice cancel 0199a7c2-6f0e-7c3a-9d55-0242ac120002',
    'sluice cancel $(cat ids.txt) --json',
  ])
    .argument('<id...>', 'ids of tasks, as submit and list print them', collectIds)
    .action(async (ids: string[], flags: ClientFlags) => {
      const http = httpOf(flags)
      const named = [...new Set(ids)]
      const tasks: { id: string; cancelled: boolean; error?: object }[] = []
      for (const id of named) {
        try {
          await http.delete(`/v1/tasks/${id}`, 'cancelled')
          tasks.push({ id, cancelled: true })
        } catch (caught) {
          // These refusals concern one task. Any other concerns all of them.
          if (!(caught instanceof BrokerRefusal) || !['unknown_task', 'task_finished'].includes(caught.code))
            throw caught
          tasks.push({ id, cancelled: false, error: { code: caught.code, message: caught.text } })
          if (!flags.json) note(printable(caught.message))
        }
      }
      const cancelled = tasks.filter((task) => task.cancelled).length
      if (flags.json) printJson({ tasks })
      else print(`${cancelled} cancelled.`)
      if (cancelled < named.length)
        throw new CommandError(`${named.length - cancelled} of ${named.length} not cancelled.`, EXIT.failed)
    })
}

function collectIds(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), taskId(text)]
}
