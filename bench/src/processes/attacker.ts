import { serve } from '../child.ts'
import type { Ground } from '../hostile/attack.ts'
import { attacks } from '../hostile/attacks/index.ts'

/** Makes one attack, so that it costs those who measure nothing. */
serve(({ name, ground }: { name: string; ground: Ground }) => ({
  attack: () => attacks.find((attack) => attack.name === name)!.run(ground),
}))
