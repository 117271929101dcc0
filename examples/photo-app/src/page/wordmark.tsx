export function Wordmark() {
  return (
    <p className="wordmark">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="var(--accent)" />
        <path d="M7 23l7-9 5 6 3-4 4 7z" fill="var(--on-accent)" />
        <circle cx="21" cy="11" r="2.5" fill="var(--on-accent)" />
      </svg>
      <span>Photo app</span>
      <small>an example of Sluice</small>
    </p>
  )
}
