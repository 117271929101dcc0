import type { Plan } from '../engine/run.ts'
import { PRESETS, SCENES } from '../presets/index.ts'

interface SceneChoiceProps {
  plan: Plan
  onChoose: (plan: Plan) => void
}

/** Another scene, or the same one with other chance. */
export function SceneChoice({ plan, onChoose }: SceneChoiceProps) {
  const isKnown = SCENES.some(({ name }) => name === plan.scenario.name)
  return (
    <div class="scene-choice">
      <label>
        Scene{' '}
        <select
          value={isKnown ? plan.scenario.name : ''}
          onChange={(event) => {
            const scenario = PRESETS[event.currentTarget.value]
            if (scenario !== undefined) onChoose({ scenario, seed: plan.seed, changes: [] })
          }}
        >
          {!isKnown && <option value="">{plan.scenario.name}</option>}
          {SCENES.map(({ name, words }) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label>
        Seed{' '}
        <input
          type="number"
          min={0}
          max={999_999_999}
          step={1}
          value={plan.seed}
          onChange={(event) => {
            const seed = event.currentTarget.valueAsNumber
            if (Number.isSafeInteger(seed) && seed >= 0) onChoose({ ...plan, seed })
          }}
        />
      </label>
    </div>
  )
}
