export { DiskError, SimulatedDisk } from './disk.ts'
export { openJournal } from './simulated-journal.ts'
