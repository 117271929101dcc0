import { useSyncExternalStore } from 'react'

export interface DemoUser {
  id: string
  name: string
}

export const DEMO_USERS: readonly DemoUser[] = [
  { id: 'ada', name: 'Ada' },
  { id: 'grace', name: 'Grace' },
]

const KEY = 'photo-app.user'
const NOBODY = 'nobody'

const listeners = new Set<() => void>()

// All tabs of the app are signed in as the same user.
window.addEventListener('storage', ({ key }) => {
  if (key === KEY) for (const listener of listeners) listener()
})

/** @param user the id of a demo user, or undefined to sign out */
export function signIn(user: string | undefined): void {
  localStorage.setItem(KEY, user ?? NOBODY)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Who visits for the first time is signed in as the first user, so that there is something to try at once. */
export function useUser(): DemoUser | undefined {
  const id = useSyncExternalStore(subscribe, () => localStorage.getItem(KEY) ?? DEMO_USERS[0]?.id)
  return DEMO_USERS.find((user) => user.id === id)
}
