import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export const USAGE = `usage: pnpm fuzz [--seeds N] [--seed S] [--json FILE] [--check]
       pnpm fuzz --seed S [--trace FILE]
       pnpm fuzz --scenario FILE [--trace FILE]
       pnpm fuzz --mutants [--only TEXT] [--seeds N] [--json FILE] [--check]
       pnpm fuzz --phenomena [--seeds N] [--check]
       pnpm fuzz --speed [--json FILE] [--check]

Runs the real queue in simulated worlds, each with its own faults and settings, and judges what happened.

  --seeds N        how many worlds; default 300, for each mutant 1,000, for each phenomenon 100
  --seed S         the first seed, a whole number; without --seeds it replays that world. Default: random
  --scenario FILE  replays the experiment in a trace, or one that --json wrote as \`minimised\`
  --trace FILE     writes all observations of a single world, as JSON lines
  --json FILE      also writes the figures and their configuration
  --check          exits 1 on any violation, if fewer than 95 % of the mutants are caught, or if a phenomenon misses a bound
  --mutants        plants one bug at a time and tests whether a checker catches it
  --only TEXT      only mutants whose name contains TEXT, or one of several separated by commas
  --phenomena      measures what queues do under load and prints it as Markdown
  --speed          how many times as fast as real time the default scenario runs on one core; --check requires 1,000
  --threads N      worlds that run at once; default: one for each core

  pnpm fuzz --seeds 10000 --check --json fuzz.json
  pnpm fuzz --seed 4711 --trace run.jsonl
  pnpm fuzz --mutants --only credit`

export interface Arguments {
  mode: 'fuzz' | 'replay' | 'mutants' | 'phenomena' | 'speed'
  seeds: number
  /** Undefined: at random. */
  seed: number | undefined
  scenario: string | undefined
  json: string | undefined
  trace: string | undefined
  only: string | undefined
  check: boolean
  threads: number
}

const SEED_MAX = Number.MAX_SAFE_INTEGER - 1_000_000_000

/** A flag is unknown or has an impossible value. The message says what is allowed. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
}

/** Undefined if help is asked for. */
export function readArguments(args: string[]): Arguments | undefined {
  const values = parsed(args)
  if (values.help) return undefined
  const { mutants, phenomena, speed, scenario, trace, only, json, check } = values
  const mode = mutants
    ? 'mutants'
    : phenomena
      ? 'phenomena'
      : speed
        ? 'speed'
        : scenario !== undefined || (values.seed !== undefined && values.seeds === undefined)
          ? 'replay'
          : 'fuzz'
  if (Number(mutants) + Number(phenomena) + Number(speed) > 1)
    throw new ArgumentError('--mutants, --phenomena and --speed exclude one another: give only one of them')
  if (trace !== undefined && mode !== 'replay')
    throw new ArgumentError('--trace needs a single world: give --seed S without --seeds, or --scenario FILE')
  if (scenario !== undefined && mode !== 'replay')
    throw new ArgumentError('--scenario replays a single world: leave out --seeds, --mutants, --phenomena and --speed')
  if (only !== undefined && mode !== 'mutants') throw new ArgumentError('--only needs --mutants')
  return {
    mode,
    seeds:
      wholeNumber('seeds', values.seeds, 1, 100_000_000) ??
      { fuzz: 300, replay: 1, mutants: 1000, phenomena: 100, speed: 10 }[mode],
    seed: wholeNumber('seed', values.seed, 0, SEED_MAX),
    scenario,
    json,
    trace,
    only,
    check,
    threads: wholeNumber('threads', values.threads, 1, 256) ?? availableParallelism(),
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        scenario: { type: 'string' },
        json: { type: 'string' },
        trace: { type: 'string' },
        only: { type: 'string' },
        threads: { type: 'string' },
        check: { type: 'boolean', default: false },
        mutants: { type: 'boolean', default: false },
        phenomena: { type: 'boolean', default: false },
        speed: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new ArgumentError((error as Error).message)
  }
}

function wholeNumber(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new ArgumentError(`--${name} is a whole number from ${min} to ${max}, not ${text}`)
}
