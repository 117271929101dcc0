/** What shape and colour of a token tell. */
const LOOKS = [
  { look: 'new', words: 'submitted', shape: <circle cx="10" cy="10" r="7" /> },
  { look: 'ready', words: 'ready', shape: <circle cx="10" cy="10" r="8" /> },
  { look: 'delayed', words: 'waits before a retry', shape: <path d="M10 1l9 9-9 9-9-9z" /> },
  { look: 'leased', words: 'lent to a worker', shape: <rect x="2" y="2" width="16" height="16" rx="4" /> },
  { look: 'succeeded', words: 'done', shape: <path class="tick" d="M10 2a8 8 0 100 16 8 8 0 000-16M6 10l3 3 5-6" /> },
  { look: 'dead', words: 'given up', shape: <path class="tick" d="M6 2h8l4 4v8l-4 4H6l-4-4V6zM7 7l6 6M13 7l-6 6" /> },
] as const

export function Legend() {
  return (
    <ul class="legend" aria-label="What the tokens mean">
      {LOOKS.map(({ look, words, shape }) => (
        <li key={look} class={`look-${look}`}>
          <svg class="legend-mark" viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
            {shape}
          </svg>
          {words}
        </li>
      ))}
    </ul>
  )
}
