#!/usr/bin/env node
import { EXIT } from './exit-code.ts'
import { leaveWithParent, onUnread } from './leave.ts'
import { runCommandLine } from './program.ts'

onUnread(() => process.exit(EXIT.unread))
leaveWithParent()
process.exitCode = await runCommandLine(process.argv)
