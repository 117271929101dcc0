export { SimulatedDisk } from './disk.ts'
export { type Fact, type FactOf, FactReader, type FactType } from './facts.ts'
export { type JournalSurroundings, openJournal } from './simulated-journal.ts'
