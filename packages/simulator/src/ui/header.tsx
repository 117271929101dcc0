import type { Route } from './route.ts'

const ROOMS = [
  { room: 'play', href: '#/', words: 'Play' },
  { room: 'lessons', href: '#/lessons', words: 'Lessons' },
  { room: 'challenges', href: '#/challenges', words: 'Challenges' },
  { room: 'compare', href: '#/compare', words: 'Compare' },
] as const

export function Header({ route, onHelp }: { route: Route; onHelp: () => void }) {
  return (
    <header class="top">
      <a class="wordmark" href="#/">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M6 11h20M6 16h13M6 21h20" />
          <circle cx="24" cy="16" r="3" />
        </svg>
        <span>
          Sluice <span class="wordmark-rest">simulator</span>
        </span>
      </a>
      <nav aria-label="Rooms">
        {ROOMS.map(({ room, href, words }) => (
          <a key={room} href={href} aria-current={route.room === room ? 'page' : undefined}>
            {words}
          </a>
        ))}
      </nav>
      <button
        type="button"
        class="round help-button"
        aria-label="Keys and help"
        title="Keys and help (?)"
        onClick={onHelp}
      >
        ?
      </button>
    </header>
  )
}
