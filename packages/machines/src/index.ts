export * from './connection.ts'
export * from './producer.ts'
export * from './worker.ts'
export * from './worker-slot.ts'
