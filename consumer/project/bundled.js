// A broker with a file, to be bundled; the program that started it ends it.
import { createBroker } from '@sluice/broker'

const broker = await createBroker({ journal: { kind: 'sqlite', path: process.argv[2] }, port: 0 })
console.log(`listening at ${broker.url}`)
process.once('SIGTERM', () => broker.close())
