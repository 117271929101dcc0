// Another program holds the broker's file for a moment, as somebody who looks into it with SQL may: the broker waits.
import { ok } from 'node:assert'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBroker } from '@sluice/broker'
import { createClient } from '@sluice/client'
import { nodePlatform } from '@sluice/worker-node'

const [, , path] = process.argv
const broker = await createBroker({ journal: { kind: 'sqlite', path }, port: 0 })
const client = createClient({ url: broker.url, platform: nodePlatform })
await client.submit('before', null)
const other = new DatabaseSync(path)
other.exec('BEGIN IMMEDIATE')
const accepted = client.submit('meanwhile', null)
await sleep(300)
other.exec('COMMIT')
other.close()
ok((await accepted).id)
await client.close()
await broker.close()
console.log('the broker waited')
