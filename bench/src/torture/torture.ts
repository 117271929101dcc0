import { crc32 } from 'node:zlib'
import type { Configuration, Scale } from '../bench.ts'
import { atMost, type Figure, figure } from '../figure.ts'
import type { Fault } from './fault.ts'

export interface TortureSettings {
  faults: readonly Fault[]
  rounds: number
  seed: number
  scale: Scale
}

export interface FaultResult {
  fault: string
  /** Why the fault was not run on this machine. */
  obstacle?: string
  configuration: Configuration
  figures: Figure[]
  /** The first ones; the figure counts all. */
  findings: string[]
}

const findingsKept = 20

/** Each fault for so many rounds. `report` hears of every round and of every finding as they come. */
export async function torture(settings: TortureSettings, report: (line: string) => void): Promise<FaultResult[]> {
  const results: FaultResult[] = []
  for (const fault of settings.faults) results.push(await runFault(fault, settings, report))
  return results
}

/** A round's choices depend on the seed, the fault and the round alone: whatever else is run, they stay. */
export function seedOf(seed: number, fault: string, round: number): number {
  return crc32(`${seed} ${fault} ${round}`)
}

async function runFault(
  fault: Fault,
  { rounds, seed, scale }: TortureSettings,
  report: (line: string) => void,
): Promise<FaultResult> {
  const { name } = fault
  const obstacle = fault.obstacle?.()
  if (obstacle !== undefined) {
    report(`${name}: not run: ${obstacle}`)
    return { fault: name, obstacle, configuration: {}, figures: [], findings: [] }
  }
  await using run = await fault.begin(scale, seedOf(seed, name, -1))
  const kept: string[] = []
  let findings = 0
  const found = (where: string, lines: readonly string[]) => {
    findings += lines.length
    kept.push(...lines.slice(0, findingsKept - kept.length).map((line) => `${where}: ${line}`))
    for (const line of lines) report(`  FINDING ${name}, ${where}: ${line}`)
  }
  let done = 0
  try {
    for (; done < rounds; done++) {
      const round = await run.run(done, seedOf(seed, name, done))
      report(`${name} ${done + 1}/${rounds}: ${round.summary}`)
      found(`round ${done + 1}`, round.findings)
    }
    found('after the last round', (await run.end?.()) ?? [])
  } catch (error) {
    // What the next round would meet is not known any more.
    found(`round ${done + 1}`, [error instanceof Error ? (error.stack ?? error.message) : String(error)])
  }
  return {
    fault: name,
    configuration: run.configuration,
    figures: [
      figure('rounds', 'rounds', [done]),
      ...(done > 0 ? run.figures() : []),
      figure('findings', 'findings', [findings], atMost(0)),
    ],
    findings: kept,
  }
}
