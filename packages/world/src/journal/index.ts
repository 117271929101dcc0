export { SimulatedDisk } from './disk.ts'
export { type JournalSurroundings, openJournal } from './simulated-journal.ts'
export { type Fact, type FactOf, type FactType, factsOf } from './facts.ts'
