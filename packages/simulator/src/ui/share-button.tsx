import { useState } from 'preact/hooks'
import type { Player } from '../player/player.ts'
import { PRESETS } from '../presets/index.ts'
import { addressOf } from '../share/shared-run.ts'

/** Puts the run, and the instant that is shown, into the address, and copies it. */
export function ShareButton({ player }: { player: Player }) {
  const [said, say] = useState('')
  const share = async () => {
    const { scenario, seed, changes } = player.plan.value
    const preset = Object.hasOwn(PRESETS, scenario.name) ? scenario.name : 'default'
    try {
      const run = { preset, scenario, seed, changes, atMs: Math.round(player.atMs.value), speed: player.speed.value }
      const address = `#${await addressOf(run, PRESETS)}`
      history.replaceState(null, '', address)
      await navigator.clipboard?.writeText(location.href)
      say('The link is copied. It opens this run at this instant.')
    } catch (error) {
      say(location.hash.startsWith('#run=') ? 'The link is in the address bar.' : (error as Error).message)
    }
    setTimeout(() => say(''), 6000)
  }
  return (
    <>
      <button type="button" class="quiet" onClick={share}>
        Share
      </button>
      <span role="status" class="timeline-notice">
        {said}
      </span>
    </>
  )
}
