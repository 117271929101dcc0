import type { Player } from '../player/player.ts'
import type { Condition } from '../view/conditions.ts'

const CONDITIONS: readonly { words: string; condition: Condition }[] = [
  { words: 'a queue says “busy”', condition: { type: 'busy' } },
  { words: 'a lease is lost', condition: { type: 'leaseLost' } },
  { words: 'a task is given up', condition: { type: 'taskDied' } },
  { words: 'a program stops', condition: { type: 'nodeStopped' } },
]

/** The run stops by itself when one of these happens. */
export function PauseMenu({ player }: { player: Player }) {
  const { pauseOn } = player
  const isOn = ({ type }: Condition) => pauseOn.value.some((condition) => condition.type === type)
  return (
    <details class="pause-menu">
      <summary>Stop by itself{pauseOn.value.length > 0 && ` (${pauseOn.value.length})`}</summary>
      <fieldset>
        <legend>Stop when</legend>
        {CONDITIONS.map(({ words, condition }) => (
          <label key={words}>
            <input
              type="checkbox"
              checked={isOn(condition)}
              onChange={() => {
                const others = pauseOn.value.filter(({ type }) => type !== condition.type)
                pauseOn.value = isOn(condition) ? others : [...others, condition]
              }}
            />
            {words}
          </label>
        ))}
      </fieldset>
    </details>
  )
}
