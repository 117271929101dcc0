import type { Command, Option } from 'commander'
import { brokerUrl, DEFAULT_URL } from './broker-url.ts'

/** A possible completion at the cursor. */
export interface Candidate {
  text: string
  about: string
}

/** The shell waits for this. If the broker does not answer in this time, its queues are left out. */
const QUEUES_MS = 500

/** The possible replacements for the last of `words`, which follow `sluice`. Empty if files are possible. */
export async function candidates(program: Command, words: readonly string[]): Promise<Candidate[]> {
  const typed = words.at(-1) ?? ''
  const { command, operands, flag } = place(program, words.slice(0, -1))
  const found = flag === undefined ? await standing(command, operands, typed) : await valuesOf(flag)
  return found.filter(({ text }) => text.startsWith(typed))
}

/** The command that the words lead to, how many arguments it has, and the flag that waits for its value. */
function place(program: Command, words: readonly string[]): { command: Command; operands: number; flag?: Option } {
  let command = program
  let operands = 0
  let flag: Option | undefined
  for (const word of words) {
    if (flag !== undefined) flag = undefined
    else if (word.startsWith('-'))
      flag = command.options.find((one) => one.long === word && (one.required || one.optional))
    else {
      const next = command.commands.find((one) => one.name() === word)
      if (next === undefined) operands += 1
      else command = next
    }
  }
  return { command, operands, ...(flag === undefined ? {} : { flag }) }
}

async function standing(command: Command, operands: number, typed: string): Promise<Candidate[]> {
  if (typed.startsWith('-'))
    return [
      ...command.options
        .filter(({ hidden }) => !hidden)
        .map(({ long, description }) => ({ text: long ?? '', about: description })),
      { text: '--help', about: 'show help' },
    ]
  const visible = command.createHelp().visibleCommands(command)
  if (command.commands.length > 0) return visible.map((one) => ({ text: one.name(), about: one.description() }))
  const argument = command.registeredArguments.at(operands)
  if (argument?.name() === 'queue') return queueNames()
  return (argument?.argChoices ?? []).map((text) => ({ text, about: '' }))
}

async function valuesOf({ long, argChoices }: Option): Promise<Candidate[]> {
  if (long === '--queue') return queueNames()
  return (argChoices ?? []).map((text) => ({ text, about: '' }))
}

async function queueNames(): Promise<Candidate[]> {
  try {
    const { http } = brokerUrl(process.env.SLUICE_URL ?? DEFAULT_URL)
    const response = await fetch(`${http}/v1/queues`, { signal: AbortSignal.timeout(QUEUES_MS) })
    const { queues } = (await response.json()) as { queues: { name: string; ready: number }[] }
    return queues.map(({ name, ready }) => ({ text: name, about: `${ready} ready` }))
  } catch {
    return []
  }
}

/** The scripts for the shells. Each calls `sluice complete` for the words, so it need not change with a new version. */
export const SCRIPTS = {
  bash: `_sluice() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(sluice complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
}
complete -o default -F _sluice sluice
`,
  zsh: `#compdef sluice
_sluice() {
  local line
  local -a found
  while IFS= read -r line; do
    found+=("\${\${line//:/\\:}/$'\t'/:}")
  done < <(sluice complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe sluice found; else _files; fi
}
if [[ "$funcstack[1]" == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`,
  fish: `function __sluice_complete
  sluice complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c sluice -f -a '(__sluice_complete)'
complete -c sluice -n '__fish_seen_subcommand_from worker submit broker' -F
`,
} as const

export type Shell = keyof typeof SCRIPTS
