// The same from CommonJS: Node 22.12 and TypeScript 5.8 let it require ES modules.
import broker = require('@sluice/broker')
import client = require('@sluice/client')

export const start: () => Promise<broker.Broker> = () => broker.createBroker()
export const connect = (url: string): client.Client => client.createClient({ url })
