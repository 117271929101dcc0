#!/usr/bin/env node
import { leaveWithParent } from './leave.ts'
import { runCommandLine } from './program.ts'

// Whoever reads may stop reading: `sluice queues | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

leaveWithParent()
process.exitCode = await runCommandLine(process.argv)
