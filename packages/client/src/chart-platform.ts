import type { ChartOwner } from '@sluice/machines'
import type { ObservedMachine } from '@sluice/machines/states'
import type { Platform } from './platform.ts'

/** What a chart of which the program has only one uses of the platform. */
export function chartPlatform(
  platform: Platform,
  machine: ObservedMachine,
): Pick<ChartOwner<never>, 'setTimer' | 'onStep'> {
  return {
    setTimer: (fn, ms) => platform.setTimer(fn, ms),
    onStep: platform.onTransition && ((step) => platform.onTransition?.({ machine, id: '', ...step })),
  }
}
