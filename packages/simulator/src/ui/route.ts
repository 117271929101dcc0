import { signal } from '@preact/signals'

/** Where the person is. The address says it, so that any place can be kept as a link. */
export type Route =
  | { room: 'play'; link: string }
  | { room: 'lessons'; name: string | undefined }
  | { room: 'challenges'; name: string | undefined }
  | { room: 'compare'; name: string | undefined }

/** `#/lessons/NAME`; anything else is a shared run, or nothing. */
export function routeOf(hash: string): Route {
  const text = hash.replace(/^#/, '')
  const [, room, name] = text.split('/')
  if (!text.startsWith('/')) return { room: 'play', link: text }
  const [bare] = (name ?? '').split('?')
  switch (room) {
    case 'lessons':
    case 'challenges':
    case 'compare':
      return { room, name: bare === '' ? undefined : bare }
    default:
      return { room: 'play', link: '' }
  }
}

export const route = signal<Route>(routeOf(location.hash))

addEventListener('hashchange', () => {
  route.value = routeOf(location.hash)
})
