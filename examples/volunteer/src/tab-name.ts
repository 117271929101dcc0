/** Colours that differ from each other, on dark and on light ground. Their names are the first words of tab names. */
const COLOURS = [
  ['Coral', '#ff6b57'],
  ['Teal', '#16b8a6'],
  ['Violet', '#9a7bff'],
  ['Amber', '#f5a524'],
  ['Azure', '#3b9dff'],
  ['Rose', '#f4639f'],
  ['Lime', '#8ac926'],
  ['Indigo', '#6473f2'],
  ['Copper', '#c9743c'],
  ['Aqua', '#22c3e6'],
] as const

const ANIMALS = ['Heron', 'Otter', 'Lynx', 'Wren', 'Fox', 'Crane', 'Marten', 'Swift', 'Hare', 'Robin', 'Badger', 'Owl']

const NAME_KEY = 'volunteer.tab-name'
const COUNT_KEY = 'volunteer.tabs'

/** The name of this tab. It stays while the tab is open, and the next tab of this browser gets another colour. */
export function tabName(): string {
  const kept = stored(() => sessionStorage.getItem(NAME_KEY))
  // A duplicated tab gets a copy of the storage. Only a reload may keep the name.
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  if (kept && entry?.type !== 'navigate') return kept
  const [random = 0, animal = 0] = crypto.getRandomValues(new Uint32Array(2))
  const before = stored(() => localStorage.getItem(COUNT_KEY))
  const count = before === null ? random % COLOURS.length : Number(before) + 1
  const name = `${COLOURS[count % COLOURS.length]![0]} ${ANIMALS[animal % ANIMALS.length]}`
  stored(() => localStorage.setItem(COUNT_KEY, String(count)))
  stored(() => sessionStorage.setItem(NAME_KEY, name))
  return name
}

/** The colour of a tab, from its name. A name from elsewhere is grey. */
export function colourOf(name: string): string {
  return COLOURS.find(([word]) => name.startsWith(`${word} `))?.[1] ?? '#8b95a5'
}

/** A browser may forbid its storage. */
function stored<T>(use: () => T): T | null {
  try {
    return use()
  } catch {
    return null
  }
}
