import { isQueueName, isTaskId } from '@sluice/protocol'
import { Command, Option } from 'commander'
import { BrokerHttp } from './broker-http.ts'
import { brokerUrl, DEFAULT_URL } from './broker-url.ts'
import { CommandError, EXIT, EXIT_HELP } from './exit-code.ts'

/** The flags of every command that talks to a running broker. */
export interface ClientFlags {
  url: string
  /** The token for a broker with access control. */
  token?: string
  json?: boolean
}

export function exampleHelp(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}\n${EXIT_HELP}`
}

/** A command that talks to a running broker, with its address, `--json`, examples and exit codes. */
export function clientCommand(name: string, about: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(about)
    .addOption(new Option('--url <url>', 'address of the broker').env('SLUICE_URL').default(DEFAULT_URL))
    .addOption(new Option('--token <token>', 'token for a broker that asks for one').env('SLUICE_TOKEN'))
    .option('--json', 'print JSON for programs')
    .addHelpText('after', exampleHelp(examples))
}

export function httpOf(flags: ClientFlags): BrokerHttp {
  return new BrokerHttp(brokerUrl(flags.url), flags.token)
}

/** A queue name from the command line. The broker checks its length. */
export function queueName(text: string): string {
  if (isQueueName(text)) return text
  throw new CommandError(
    `${JSON.stringify(text)} is no queue name: a letter or digit, then letters, digits and any of . _ : / -`,
    EXIT.usage,
  )
}

export function taskId(text: string): string {
  if (isTaskId(text)) return text
  throw new CommandError(
    `${JSON.stringify(text)} is no task id: a UUIDv7 in lower case, as submit prints it`,
    EXIT.usage,
  )
}

/** A parser for a flag that takes whole numbers from `min` to `max`. */
export function wholeNumber(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new CommandError(
      `${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`,
      EXIT.usage,
    )
  }
}
