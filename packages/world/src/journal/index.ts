export { SimulatedDisk } from './disk.ts'
export { type JournalSurroundings, openJournal } from './simulated-journal.ts'
