import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { setTimeout } from 'node:timers'
import { mochaCommand } from './mocha-command.js'

// The tests of some files, or of those that take no browser, no other processes and no minutes:
// `node test/files.js [--watch] [files] [-g words]`. With --watch again, whenever a file is saved.

const slow = ['browser', 'consumers', 'docs', 'generated', 'hostile', 'processes', 'storage']
const quick = {
  without: [...slow.map((folder) => `test/${folder}/**`), 'test/*.test.ts', 'test/manager/**'],
}

const isWatching = process.argv.includes('--watch')
const given = process.argv.slice(2).filter((argument) => argument !== '--watch')
const [node, ...mocha] = given.some((argument) => argument.endsWith('.ts'))
  ? mochaCommand({ files: given })
  : [...mochaCommand(quick), ...given]

let isRunning = false
let isStale = false

function run() {
  isRunning = true
  isStale = false
  spawn(node, mocha, { stdio: 'inherit' }).on('close', (code) => {
    isRunning = false
    if (!isWatching) process.exitCode = code ?? 1
    else if (isStale) run()
    else console.log('Waiting for a file of src/ or test/ to be saved; Ctrl+C ends this.')
  })
}

run()
if (isWatching)
  for (const folder of ['src', 'test'])
    watch(folder, { recursive: true }, () => {
      // Editors save in several steps.
      if (!isStale)
        setTimeout(() => {
          if (!isRunning && isStale) run()
        }, 200)
      isStale = true
    })
