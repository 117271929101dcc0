import { useEffect, useRef } from 'preact/hooks'
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
  const menu = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event) => {
      const isEscape = event instanceof KeyboardEvent && event.key === 'Escape'
      const isOutside = event.type === 'pointerdown' && !menu.current?.contains(event.target as Node)
      if (menu.current !== null && (isEscape || isOutside)) menu.current.open = false
    }
    addEventListener('keydown', close)
    addEventListener('pointerdown', close)
    return () => {
      removeEventListener('keydown', close)
      removeEventListener('pointerdown', close)
    }
  }, [])
  return (
    <details class="pause-menu" ref={menu}>
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
