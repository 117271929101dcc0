import { useEffect, useState } from 'preact/hooks'
import type { Plan } from '../engine/plan.ts'
import { PRESETS } from '../presets/index.ts'
import { askedBy, fuzzPlan } from '../share/address.ts'

/** A run that a link asks for. */
export interface Linked {
  plan: Plan
  atMs: number
  speed: number
  /** Where it ends; by default with its scenario's duration. */
  untilMs?: number
}

/** Opens the run that a link asks for. Returns what is wrong with the link, if anything is. */
export function useLink(link: string, onRun: (linked: Linked) => void): string {
  const [trouble, setTrouble] = useState('')
  useEffect(() => {
    setTrouble('')
    const open = async () => {
      const asked = await askedBy(link, PRESETS)
      if (asked.kind === 'fuzz') {
        const plan = await fuzzPlan(asked.seed)
        // A promise may be broken when everything has come to rest.
        const { durationMs, settleMs } = plan.scenario
        onRun({ plan, atMs: asked.atMs, speed: 1, untilMs: Math.max(durationMs + settleMs, asked.atMs) })
      }
      if (asked.kind === 'run') {
        const { scenario, seed, changes, atMs, speed } = asked.run
        onRun({ plan: { scenario, seed, changes }, atMs, speed })
      }
    }
    open().catch((error: Error) => setTrouble(`This link cannot be opened: ${error.message}.`))
  }, [link])
  return trouble
}
