import { nextSessionState, type SessionEvent } from '@sluice/machines'
import type { ConnectedState, SessionState } from '@sluice/machines/states'
import type { HostPlatform } from './platform.ts'

type Listener = Pick<HostPlatform, 'onTransition'>

/**
 * The next state of a session, which is told.
 * @param listener undefined if the step is a part of another one, which is told
 * @param session undefined before it has an id
 * @throws if the chart has no such step
 */
export function sessionStep(
  listener: Listener | undefined,
  session: string | undefined,
  from: SessionState,
  event: SessionEvent,
): SessionState {
  const to = nextSessionState(from, event)
  listener?.onTransition?.({ machine: 'session', id: session ?? '', from, to, event })
  return to
}

/** Tells of a step in a region of a connected session. */
export function tellRegion<Region extends keyof ConnectedState>(
  listener: Listener,
  session: string,
  region: Region,
  states: [from: ConnectedState[Region], to: ConnectedState[Region]],
  event: string,
): void {
  if (listener.onTransition === undefined) return
  const [from, to] = states.map((state) => `connected.${region}.${state}`) as [string, string]
  listener.onTransition({ machine: 'session', id: session, from, to, event })
}
