export * from './journal.ts'
export { type SqliteJournalOptions, sqliteJournal } from './sqlite.ts'
